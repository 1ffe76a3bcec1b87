#include "core/artifact/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/file.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

v1::Manifest SmallManifest() {
  v1::Manifest manifest;
  v1::AcganSpec& spec = *manifest.mutable_generator()->mutable_acgan();
  spec.set_latent_size(4);
  spec.set_label_repeats(1);
  spec.add_hidden_sizes(8);
  spec.set_leaky_slope(0.01);
  spec.set_output(v1::ALLELE_OUTPUT_BERNOULLI);
  manifest.set_ploidy(2);
  manifest.set_phased(true);
  manifest.set_label_column("pop");
  for (const char* label : {"A", "B"}) manifest.add_labels()->set_name(label);
  v1::PhenotypeSchema& colour = *manifest.add_phenotypes();
  colour.set_name("colour");
  colour.mutable_categorical()->add_levels("red");
  colour.mutable_categorical()->add_frequencies(1);
  v1::Figure& figure = *manifest.add_figures();
  figure.set_name("af.pearson");
  figure.set_value(0.99);
  return manifest;
}

VariantTable SmallVariants() {
  return VariantTable::Create({{"1", 10, "a", "A", "C"}, {"1", 20, "b", "G", "T"}}, {{"1", 1000}}).value();
}

class ArtifactTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = absl::StrCat(testing::TempDir(), "artifact_test_", ::getpid(), "_",
                         testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(files_.Remove(root_).ok());
    store_ = OpenStore(root_, true).value();
    ASSERT_EQ(PublishArtifact(*store_, "m", SmallManifest(), {{"w", {{2}, {1, 2}}}}, SmallVariants()).value(), 1);
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(root_).ok()); }

  std::string PathOf(absl::string_view file) const { return absl::StrCat(root_, "/m/1/", file); }
  std::string Bytes(absl::string_view file) const { return files_.ReadFile(PathOf(file), 1 << 20).value(); }
  void Overwrite(absl::string_view file, absl::string_view bytes) {
    ASSERT_TRUE(files_.WriteFile(PathOf(file), bytes).ok());
  }
  void ExpectRefused(absl::StatusCode code, const std::string& message) {
    const absl::Status status = ReadArtifact(*store_, "m", 1).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }

  const FileSystem& files_ = FileSystem::Posix();
  std::string root_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(ArtifactTest, ReadsWhatWasPublished) {
  const Artifact artifact = ReadArtifact(*store_, "m", 1).value();
  EXPECT_EQ(artifact.variants, SmallVariants());
  EXPECT_EQ(artifact.weights.at("w").values, (std::vector<float>{1, 2}));
  EXPECT_EQ(artifact.manifest.generator().acgan().latent_size(), 4);
  EXPECT_EQ(artifact.manifest.variant_count(), 2);
  EXPECT_EQ(artifact.digest, Sha256Hex(Bytes(kManifestFile)));
  EXPECT_THAT(Bytes(kQualityFile), HasSubstr("af.pearson"));
}

TEST_F(ArtifactTest, EqualArtifactsHaveEqualDigests) {
  ASSERT_EQ(PublishArtifact(*store_, "m", SmallManifest(), {{"w", {{2}, {1, 2}}}}, SmallVariants()).value(), 2);
  EXPECT_EQ(ReadArtifact(*store_, "m", 1)->digest, ReadArtifact(*store_, "m", 2)->digest);
}

TEST_F(ArtifactTest, AFlippedBitInAnyFileIsFound) {
  for (const absl::string_view file : {kWeightsFile, kVariantsFile, kQualityFile}) {
    const std::string bytes = Bytes(file);
    std::string flipped = bytes;
    flipped[flipped.size() / 2] ^= 1;
    Overwrite(file, flipped);
    ExpectRefused(absl::StatusCode::kDataLoss,
                  absl::StrCat("m version 1: ", std::string(file), ": the manifest says SHA-256"));
    Overwrite(file, bytes);
  }
  EXPECT_TRUE(ReadArtifact(*store_, "m", 1).ok());
}

TEST_F(ArtifactTest, ShorterLongerAndMissingFilesAreFound) {
  const std::string bytes = Bytes(kWeightsFile);
  Overwrite(kWeightsFile, bytes.substr(1));
  ExpectRefused(absl::StatusCode::kDataLoss, absl::StrCat("bytes, the file has ", bytes.size() - 1));
  Overwrite(kWeightsFile, bytes + "x");
  ExpectRefused(absl::StatusCode::kDataLoss, "bytes, the file has more");
  ASSERT_TRUE(files_.Remove(PathOf(kWeightsFile)).ok());
  ExpectRefused(absl::StatusCode::kDataLoss, "weights.safetensors: is listed but not there");
}

TEST_F(ArtifactTest, RefusesManifestsThatMakeNoSense) {
  const std::string json = Bytes(kManifestFile);
  const auto refused = [&](absl::string_view from, absl::string_view to, const std::string& message) {
    ASSERT_THAT(json, HasSubstr(std::string(from)));
    Overwrite(kManifestFile, absl::StrReplaceAll(json, {{from, to}}));
    ExpectRefused(absl::StatusCode::kInvalidArgument, message);
  };
  refused("\"format_version\": 1", "\"format_version\": 2", "format_version: 2 is not known; this build reads 1 to 1");
  refused("\"weights.safetensors\"", "\"../../weights\"", "\"../../weights\" is not a plain file name");
  refused("\"weights.safetensors\"", "\"other\"", "weights.safetensors is not listed");
  refused("\"ploidy\": 2", "\"ploidy\": 4", "ploidy: 4");
  refused("\"ploidy\": 2", "\"ploidy\": 2, \"colour\": 1", "colour");
  refused("\"latent_size\": 4", "\"latent_size\": -4", "generator.acgan");
  refused("\"acgan\"", "\"transformer\"", "transformer");
  refused("\"name\": \"B\"", "\"name\": \"A\"", "\"A\" is empty, there twice");
  refused("\"phased\": true", "\"phased\": false", "phased");
  Overwrite(kManifestFile, json.substr(0, json.size() / 2));
  ExpectRefused(absl::StatusCode::kInvalidArgument, "manifest.json");
}

TEST_F(ArtifactTest, VariantsThatAreNotTheManifestsAreFound) {
  std::string json = Bytes(kManifestFile);
  Overwrite(kManifestFile, absl::StrReplaceAll(json, {{SmallVariants().Digest(), std::string(64, 'a')}}));
  ExpectRefused(absl::StatusCode::kDataLoss, "variants.vcf: count or digest is not the manifest's");
}

TEST_F(ArtifactTest, AFailedPublishLeavesNothing) {
  v1::Manifest manifest = SmallManifest();
  manifest.set_ploidy(3);
  EXPECT_FALSE(PublishArtifact(*store_, "other", manifest, {}, SmallVariants()).ok());
  EXPECT_FALSE(files_.Exists(root_ + "/other"));
}

TEST(ValidateManifestTest, PhenotypesMustHaveTheirDistribution) {
  v1::Manifest manifest = SmallManifest();
  manifest.set_format_version(1);
  manifest.set_variant_count(1);
  manifest.set_variant_digest(std::string(64, '0'));
  for (const absl::string_view name : {kWeightsFile, kVariantsFile}) {
    v1::ArtifactFile& file = *manifest.add_files();
    file.set_name(std::string(name));
    file.set_sha256(std::string(64, '0'));
  }
  ASSERT_TRUE(ValidateManifest(manifest).ok());
  v1::PhenotypeSchema& weight = *manifest.add_phenotypes();
  weight.set_name("weight");
  EXPECT_THAT(std::string(ValidateManifest(manifest).message()), HasSubstr("neither continuous nor categorical"));
  weight.mutable_continuous()->set_standard_deviation(1);
  EXPECT_THAT(std::string(ValidateManifest(manifest).message()), HasSubstr("101 finite quantiles"));
  for (int i = 0; i <= 100; ++i) weight.mutable_continuous()->add_quantiles(i);
  EXPECT_TRUE(ValidateManifest(manifest).ok());
}

}  // namespace
}  // namespace genoserve
