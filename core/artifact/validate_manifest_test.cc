#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/artifact/artifact.h"
#include "core/artifact/test_artifact.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

v1::Manifest WholeManifest() {
  v1::Manifest manifest = TestManifest();
  manifest.set_format_version(1);
  manifest.set_variant_count(3);
  manifest.set_variant_digest(std::string(64, 'a'));
  for (const absl::string_view name : {kWeightsFile, kVariantsFile, kQualityFile}) {
    v1::ArtifactFile& file = *manifest.add_files();
    file.set_name(std::string(name));
    file.set_size(10);
    file.set_sha256(std::string(64, '0'));
  }
  return manifest;
}

TEST(ValidateManifestTest, AcceptsAWholeManifest) {
  EXPECT_TRUE(ValidateManifest(WholeManifest()).ok()) << ValidateManifest(WholeManifest());
  v1::Manifest bare = WholeManifest();
  bare.clear_label_column();
  bare.clear_labels();
  bare.clear_phenotypes();
  bare.clear_figures();
  EXPECT_TRUE(ValidateManifest(bare).ok()) << "labels and phenotypes are optional";
}

TEST(ValidateManifestTest, NamesTheFieldThatIsWrong) {
  using Edit = std::function<void(v1::Manifest&)>;
  const auto height = [](v1::Manifest& m) { return m.mutable_phenotypes(0)->mutable_continuous(); };
  const auto affected = [](v1::Manifest& m) { return m.mutable_phenotypes(1)->mutable_categorical(); };
  const std::vector<std::pair<std::string, Edit>> cases = {
      {"format_version 0", [](auto& m) { m.clear_format_version(); }},
      {"format_version 2", [](auto& m) { m.set_format_version(2); }},
      {"generator: has no architecture", [](auto& m) { m.clear_generator(); }},
      {"ploidy 1", [](auto& m) { m.set_ploidy(1); }},
      {"variant_count", [](auto& m) { m.set_variant_count(0); }},
      {"variant_count", [](auto& m) { m.set_variant_count(-5); }},
      {"allele_frequencies", [](auto& m) { m.set_allele_frequencies("12345"); }},
      {"allele_frequencies", [](auto& m) { m.set_allele_frequencies("12345678"); }},
      {"variant_digest", [](auto& m) { m.set_variant_digest(std::string(64, 'A')); }},
      {"variant_digest", [](auto& m) { m.set_variant_digest("abc"); }},
      {"label_column and labels", [](auto& m) { m.clear_label_column(); }},
      {"label_column and labels", [](auto& m) { m.clear_labels(); }},
      {"labels: a name is empty", [](auto& m) { m.mutable_labels(0)->clear_name(); }},
      {"labels: SUR is there twice", [](auto& m) { m.mutable_labels(0)->set_name("SUR"); }},
      {"labels: NOR: training_samples", [](auto& m) { m.mutable_labels(0)->set_training_samples(-1); }},
      {"phenotypes: a name is empty", [](auto& m) { m.mutable_phenotypes(0)->clear_name(); }},
      {"phenotypes: affected is there twice", [](auto& m) { m.mutable_phenotypes(0)->set_name("affected"); }},
      {"phenotypes: height: is neither", [](auto& m) { m.mutable_phenotypes(0)->clear_kind(); }},
      {"phenotypes: height: mean", [&](auto& m) { height(m)->set_mean(NAN); }},
      {"phenotypes: height: standard_deviation", [&](auto& m) { height(m)->set_standard_deviation(-1); }},
      {"phenotypes: height: minimum", [&](auto& m) { height(m)->set_minimum(201); }},
      {"phenotypes: height: has 102 quantiles", [&](auto& m) { height(m)->add_quantiles(300); }},
      {"phenotypes: height: quantiles", [&](auto& m) { height(m)->set_quantiles(50, 0); }},
      {"phenotypes: height: quantiles", [&](auto& m) { height(m)->set_quantiles(0, NAN); }},
      {"phenotypes: height: log: all values", [&](auto& m) { height(m)->mutable_log(), height(m)->set_minimum(0); }},
      {"phenotypes: height: log: mean", [&](auto& m) { height(m)->mutable_log()->set_mean(NAN); }},
      {"phenotypes: height: log: mean", [&](auto& m) { height(m)->mutable_log()->set_standard_deviation(-1); }},
      {"phenotypes: affected: has no levels", [&](auto& m) { affected(m)->clear_levels(); }},
      {"phenotypes: affected: needs one frequency", [&](auto& m) { affected(m)->add_levels("maybe"); }},
      {"phenotypes: affected: level yes", [&](auto& m) { affected(m)->set_levels(0, "yes"); }},
      {"phenotypes: affected: the name of a level", [&](auto& m) { affected(m)->set_levels(0, ""); }},
      {"phenotypes: affected: frequencies sum to 0.2", [&](auto& m) { affected(m)->set_frequencies(0, 0.1); }},
      {"phenotypes: affected: frequencies must", [&](auto& m) { affected(m)->set_frequencies(0, NAN); }},
      {"files: file name \"../x\"", [](auto& m) { m.mutable_files(0)->set_name("../x"); }},
      {"files: file name \"\"", [](auto& m) { m.mutable_files(0)->clear_name(); }},
      {"files: the manifest cannot", [](auto& m) { m.mutable_files(0)->set_name("manifest.json"); }},
      {"files: variants.vcf is there twice", [](auto& m) { m.mutable_files(0)->set_name("variants.vcf"); }},
      {"files: weights.safetensors is not listed", [](auto& m) { m.mutable_files(0)->set_name("other.bin"); }},
      {"files: weights.safetensors: size -1", [](auto& m) { m.mutable_files(0)->set_size(-1); }},
      {"files: weights.safetensors: size 1000000000000", [](auto& m) { m.mutable_files(0)->set_size(1000000000000); }},
      {"files: weights.safetensors: sha256", [](auto& m) { m.mutable_files(0)->set_sha256("0"); }},
  };
  for (const auto& [reason, edit] : cases) {
    v1::Manifest manifest = WholeManifest();
    edit(manifest);
    const absl::Status status = ValidateManifest(manifest);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
  }
}

}  // namespace
}  // namespace genoserve
