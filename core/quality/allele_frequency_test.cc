#include "core/quality/allele_frequency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(AlleleFrequencyTest, SkipsMissingCalls) {
  const GenotypeMatrix genotypes = Diploid({{0, 1, 3}, {2, 3, 3}, {1, 1, 3}, {1, 0, 3}});
  const std::vector<double> p = AlleleFrequencies(genotypes);
  EXPECT_DOUBLE_EQ(p[0], 4.0 / 8.0);
  EXPECT_DOUBLE_EQ(p[1], 2.0 / 6.0) << "one of four calls is missing";
  EXPECT_TRUE(std::isnan(p[2])) << "no call at all";
}

TEST(AlleleFrequencyTest, CountsHaplotypes) {
  EXPECT_THAT(AlleleFrequencies(Haplotypes({{0, 1}, {1, 1}, {1, 0}, {1, 1}})), ElementsAre(DoubleEq(0.75), 0.75));
}

TEST(AlleleFrequencyTest, TakesOnlyTheSamplesAskedFor) {
  const GenotypeMatrix haplotypes = Haplotypes({{0, 1}, {1, 1}, {0, 0}, {0, 1}, {1, 1}, {1, 1}});
  const std::vector<size_t> some = {0, 2};
  EXPECT_THAT(AlleleFrequencies(haplotypes, some), ElementsAre(DoubleEq(0.75), DoubleEq(1.0)));
  const std::vector<size_t> second = {1};
  EXPECT_THAT(AlleleFrequencies(haplotypes, second), ElementsAre(DoubleEq(0.0), DoubleEq(0.5)));
}

}  // namespace
}  // namespace genoserve
