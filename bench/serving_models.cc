// Publishes generators of the sizes that serving is measured with. Their weights are random, so that their genotypes
// mean nothing and their speed is that of a trained generator of the same sizes.
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/measured_networks.h"
#include "core/artifact/artifact.h"
#include "core/base/status.h"
#include "core/model/test_models.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {
namespace {

constexpr uint64_t kSeed = 1;
// Of the one contig, between variants; a region of a share of the variants is so long a part of the contig.
constexpr int64_t kSpacing = 100;

absl::StatusOr<VariantTable> Variants(int count) {
  std::vector<VariantRecord> variants;
  variants.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) variants.push_back({"1", (i + 1) * kSpacing, absl::StrCat("v", i), "A", "G"});
  return VariantTable::Create(std::move(variants), {{"1", (count + 1) * kSpacing}});
}

absl::Status Publish(CheckpointStore& store, const MeasuredNetwork& model) {
  v1::Manifest manifest = ManifestOf(model);
  manifest.set_description("random weights, for measuring");
  GENOSERVE_ASSIGN_OR_RETURN(const VariantTable variants, Variants(model.variants));
  TensorMap weights = RandomWeights(manifest, kSeed);
  // Most alleles are as sure as those of a trained model: else rounding would change more than a server takes.
  for (float& bias : weights.at("output.bias").values) bias *= 40.0F;
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t version,
                             PublishArtifact(store, model.name, manifest, weights, variants, {}));
  std::cerr << model.name << " is version " << version << "\n";
  return absl::OkStatus();
}

absl::Status Main(const std::string& folder, const std::string& wanted) {
  for (const MeasuredNetwork& model : MeasuredNetworks()) {
    if (model.name != wanted) continue;
    GENOSERVE_ASSIGN_OR_RETURN(const auto store, OpenStore(folder, /*create=*/true));
    GENOSERVE_ASSIGN_OR_RETURN(const auto versions, store->ListVersions(model.name));
    return versions.empty() ? Publish(*store, model) : absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no model \"", wanted, "\" here"));
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: serving_models STORE MODEL...   (acgan-805, acgan-10k, wgan-10k, wgan-50k)\n"
                 "Publishes those that the store lacks.\n";
    return 2;
  }
  for (int i = 2; i < argc; ++i) {
    if (const absl::Status status = genoserve::Main(argv[1], argv[i]); !status.ok()) {
      std::cerr << "serving_models: " << status.message() << "\n";
      return 1;
    }
  }
  return 0;
}
