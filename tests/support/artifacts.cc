#include "tests/support/artifacts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "core/model/test_models.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {
namespace {

int64_t Publish(const std::string& folder, const std::string& model, uint64_t seed, const v1::Manifest& manifest) {
  const auto store = OpenStore(folder, /*create=*/true);
  if (!store.ok()) {
    ADD_FAILURE() << store.status();
    return 0;
  }
  const auto version = PublishArtifact(**store, model, manifest, RandomWeights(manifest, seed),
                                       TestVariants(manifest.variant_count()), {{std::string(kQualityFile), "{}\n"}});
  EXPECT_TRUE(version.ok()) << version.status();
  return version.value_or(0);
}

}  // namespace

VariantTable TestVariants(int64_t count) {
  std::vector<VariantRecord> variants;
  for (int64_t i = 0; i < count; ++i) {
    const bool first = i < count / 2;
    variants.push_back({first ? "1" : "2", 100 * (1 + (first ? i : i - count / 2)), absl::StrCat("rs", i), "A", "C"});
  }
  return *VariantTable::Create(std::move(variants), {{"1", 1'000'000}, {"2", 1'000'000}});
}

int64_t PublishTestAcgan(const std::string& store, const std::string& model, uint64_t seed, int64_t variants,
                         const std::vector<v1::Figure>& figures) {
  v1::Manifest manifest = SmallAcgan(variants, 3);
  manifest.mutable_figures()->Assign(figures.begin(), figures.end());
  return Publish(store, model, seed, manifest);
}

int64_t PublishTestWganGp(const std::string& store, const std::string& model, uint64_t seed, int64_t variants) {
  return Publish(store, model, seed, SmallWganGp(variants));
}

std::string NewTestFolder() {
  std::string folder = JoinPath(testing::TempDir(), "genoserveXXXXXX");
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

}  // namespace genoserve
