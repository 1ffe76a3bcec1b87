#include "core/base/suggest.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(NearestMatchTest, FindsTheWordThatWasMeant) {
  const std::vector<std::string> options = {"--seed", "--server", "--shard", "--pop", "--pheno", "--pheno-file"};
  EXPECT_EQ(NearestMatch("--sede", options), "--seed");
  EXPECT_EQ(NearestMatch("--phenofile", options), "--pheno-file");
  EXPECT_EQ(NearestMatch("--pops", options), "--pop");
  EXPECT_EQ(NearestMatch("--colour", options), "");
  EXPECT_EQ(NearestMatch("--seed", {}), "");
}

}  // namespace
}  // namespace genoserve
