#include "core/artifact/artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/artifact/test_artifact.h"
#include "core/base/file.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ArtifactTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "artifact_test_", ::getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(files_.Remove(folder_).ok());
    store_ = OpenStore(folder_, true).value();
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(folder_).ok()); }

  absl::StatusOr<int64_t> Publish() {
    return PublishArtifact(*store_, "m", TestManifest(), TestWeights(), TestVariants(), TestParts());
  }
  std::string Path(absl::string_view file) const { return JoinPath(JoinPath(folder_, "m/1"), file); }
  std::string Bytes(absl::string_view file) const { return files_.ReadFile(Path(file), 1 << 20).value(); }
  // Replaces a text in the manifest of version 1, as someone with an editor would.
  void EditManifest(const std::string& from, const std::string& to) {
    const std::string json = Bytes(kManifestFile);
    const std::string edited = absl::StrReplaceAll(json, {{from, to}});
    ASSERT_NE(edited, json) << from;
    ASSERT_TRUE(files_.WriteFile(Path(kManifestFile), edited).ok());
  }
  absl::Status Read() const { return ReadArtifact(*store_, "m", 1).status(); }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(ArtifactTest, PublishesAndReadsBack) {
  ASSERT_EQ(Publish().value(), 1);
  EXPECT_THAT(files_.ListFolder(JoinPath(folder_, "m/1")).value(),
              ElementsAre("manifest.json", "quality.json", "variants.vcf", "weights.safetensors"));

  const auto artifact = ReadArtifact(*store_, "m", 1);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_EQ(artifact->model, "m");
  EXPECT_EQ(artifact->version, 1);
  EXPECT_EQ(artifact->digest, Sha256Hex(Bytes(kManifestFile)));
  EXPECT_EQ(artifact->variants, TestVariants());
  EXPECT_EQ(artifact->manifest.format_version(), 1);
  EXPECT_EQ(artifact->manifest.variant_count(), 3);
  EXPECT_EQ(artifact->manifest.variant_digest(), TestVariants().Digest());
  EXPECT_EQ(artifact->manifest.training().seed(), 18446744073709551615u);
  EXPECT_EQ(artifact->manifest.phenotypes(0).continuous().mean(), 170.25);
  ASSERT_EQ(artifact->weights.size(), 2);
  EXPECT_THAT(artifact->weights.at("output.bias").values, ElementsAre(7, 8, 9));

  std::string digest;
  const auto manifest = ReadManifest(*store_, "m", 1, &digest);
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(digest, artifact->digest);
  EXPECT_EQ(manifest->SerializeAsString(), artifact->manifest.SerializeAsString());
}

TEST_F(ArtifactTest, EqualInputGivesEqualBytes) {
  ASSERT_TRUE(Publish().ok());
  ASSERT_TRUE(Publish().ok());
  for (const absl::string_view file : {kManifestFile, kWeightsFile, kVariantsFile, kQualityFile}) {
    EXPECT_EQ(store_->Read("m", 1, file, 1 << 20).value(), store_->Read("m", 2, file, 1 << 20).value()) << file;
  }
}

TEST_F(ArtifactTest, PartsAreKeptAsTheyAre) {
  ASSERT_TRUE(Publish().ok());
  EXPECT_EQ(Bytes(kQualityFile), TestParts()[0].bytes);
}

TEST_F(ArtifactTest, AFlippedBitAnywhereIsFound) {
  ASSERT_TRUE(Publish().ok());
  for (const absl::string_view file : {kWeightsFile, kVariantsFile, kQualityFile}) {
    const std::string whole = Bytes(file);
    for (size_t i = 0; i < whole.size(); ++i) {
      std::string flipped = whole;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
      ASSERT_TRUE(files_.WriteFile(Path(file), flipped).ok());
      const absl::Status status = Read();
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << file << " byte " << i;
      ASSERT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("model m version 1: ", file, ": has SHA-256")));
    }
    ASSERT_TRUE(files_.WriteFile(Path(file), whole).ok());
  }
  EXPECT_TRUE(Read().ok());
}

TEST_F(ArtifactTest, AFlippedBitInTheManifestNeverKeepsTheDigest) {
  ASSERT_TRUE(Publish().ok());
  const std::string digest = ReadArtifact(*store_, "m", 1).value().digest;
  const std::string whole = Bytes(kManifestFile);
  for (size_t i = 0; i < whole.size(); i += 5) {
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 7)));
    ASSERT_TRUE(files_.WriteFile(Path(kManifestFile), flipped).ok());
    const auto artifact = ReadArtifact(*store_, "m", 1);
    EXPECT_TRUE(!artifact.ok() || artifact->digest != digest) << "byte " << i;
  }
}

TEST_F(ArtifactTest, FilesOfAnotherLengthOrMissingAreNamed) {
  ASSERT_TRUE(Publish().ok());
  for (const absl::string_view file : {kWeightsFile, kVariantsFile, kQualityFile}) {
    const std::string whole = Bytes(file);
    ASSERT_TRUE(files_.WriteFile(Path(file), whole + "x").ok());
    EXPECT_EQ(Read().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(Read().message()), HasSubstr(absl::StrCat(file, ": has more than the ", whole.size())));
    ASSERT_TRUE(files_.WriteFile(Path(file), whole.substr(0, whole.size() - 1)).ok());
    EXPECT_EQ(Read().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(Read().message()), HasSubstr(absl::StrCat(file, ": has fewer than the ", whole.size())));
    ASSERT_TRUE(files_.Remove(Path(file)).ok());
    EXPECT_EQ(Read().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(Read().message()), HasSubstr(absl::StrCat(file, ": is in the manifest and not in")));
    ASSERT_TRUE(files_.WriteFile(Path(file), whole).ok());
  }
}

TEST_F(ArtifactTest, AnEditedManifestIsRefusedWithTheReason) {
  struct Case {
    std::string from, to, reason;
  };
  const std::vector<Case> cases = {
      {"\"weights.safetensors\"", "\"../1/weights.safetensors\"",
       "file name \"../1/weights.safetensors\": allowed are"},
      {"\"weights.safetensors\"", "\"/etc/passwd\"", "file name \"/etc/passwd\": allowed are"},
      {"\"format_version\": 1", "\"format_version\": 2", "format_version 2: this build reads up to 1"},
      {"\"format_version\": 1", "\"format_version\": 2, \"from_the_future\": [1]",
       "format_version 2: this build reads"},
      {"\"format_version\": 1", "\"format_version\": 1, \"from_the_future\": [1]", "from_the_future"},
      {"\"variant_count\": \"3\"", "\"variant_count\": \"4\"", "variants.vcf: has 3 variants, variant_count says 4"},
      {"\"variant_digest\": \"", "\"variant_digest\": \"0000", "variant_digest must have 64"},
      {TestVariants().Digest(), std::string(64, '0'), "do not have the variant_digest"},
      {"\"ploidy\": 2", "\"ploidy\": 3", "ploidy 3: only 2 is known"},
      {"{", "", "manifest.json: "},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(Publish().ok());
    EditManifest(c.from, c.to);
    const absl::Status status = Read();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr("model m version 1: "));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.reason));
    ASSERT_TRUE(files_.Remove(JoinPath(folder_, "m")).ok());
  }
}

TEST_F(ArtifactTest, AVersionThatIsNotThereIsNotFound) {
  EXPECT_EQ(Read().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Publish().ok());
  EXPECT_EQ(ReadArtifact(*store_, "m", 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadArtifact(*store_, "other", 1).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ArtifactTest, WhatCannotBeReadIsNotPublished) {
  v1::Manifest two = TestManifest();
  *two.add_labels() = two.labels(0);
  EXPECT_EQ(PublishArtifact(*store_, "m", two, TestWeights(), TestVariants(), TestParts()).status().message(),
            "manifest: labels: NOR is there twice");
  TensorMap weights = TestWeights();
  weights.at("output.bias").shape = {4};
  EXPECT_THAT(
      std::string(
          PublishArtifact(*store_, "m", TestManifest(), weights, TestVariants(), TestParts()).status().message()),
      HasSubstr("tensor \"output.bias\": has 3 values"));
  EXPECT_EQ(PublishArtifact(*store_, "m", TestManifest(), TestWeights(), VariantTable(), TestParts()).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      PublishArtifact(*store_, "../m", TestManifest(), TestWeights(), TestVariants(), TestParts()).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(files_.ListFolder(folder_).value(), IsEmpty());
}

}  // namespace
}  // namespace genoserve
