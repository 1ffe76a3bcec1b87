#include "core/quality/linkage.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

TEST(LinkageTest, HaplotypeR2ByHand) {
  // p_A = 1/2, p_B = 3/4, p_AB = 1/2: (1/2 - 3/8)^2 / (1/4 * 3/16) = (1/64) / (3/64) = 1/3.
  const GenotypeMatrix h = Haplotypes({{1, 1}, {1, 1}, {0, 1}, {0, 0}});
  EXPECT_NEAR(NeighbourR2(h, VariantsOn({"1", "1"}))[0], 1.0 / 3.0, 1e-12);
}

TEST(LinkageTest, RogersHuffByHand) {
  // x = 0 1 2 1, y = 0 1 1 0, so that n = 4, x = 4, y = 2, xx = 6, yy = 2, xy = 3;
  // (4 * 3 - 4 * 2)^2 / ((4 * 6 - 16) (4 * 2 - 4)) = 16 / 32.
  const GenotypeMatrix g = Diploid({{0, 0}, {1, 1}, {2, 1}, {1, 0}});
  EXPECT_NEAR(NeighbourR2(g, VariantsOn({"1", "1"}))[0], 0.5, 1e-12);
}

TEST(LinkageTest, MissingCallsLeaveTheirPairOut) {
  const GenotypeMatrix g = Diploid({{0, 0}, {1, 1}, {2, 1}, {1, 0}, {3, 2}, {2, 3}});
  EXPECT_NEAR(NeighbourR2(g, VariantsOn({"1", "1"}))[0], 0.5, 1e-12);
}

TEST(LinkageTest, NeighboursOnDifferentContigsAreNoPair) {
  const GenotypeMatrix h = Haplotypes({{1, 1, 1}, {0, 0, 0}});
  const std::vector<double> r2 = NeighbourR2(h, VariantsOn({"1", "1", "2"}));
  EXPECT_DOUBLE_EQ(r2[0], 1);
  EXPECT_TRUE(std::isnan(r2[1]));
  EXPECT_TRUE(NeighbourR2(Haplotypes({{1}, {0}}), VariantsOn({"1"})).empty());
}

TEST(LinkageTest, PairsThatDoNotVaryInEitherSetAreDroppedAndCounted) {
  const VariantTable variants = VariantsOn({"1", "1", "1", "2"});
  const GenotypeMatrix real = Haplotypes({{1, 1, 0, 1}, {1, 1, 1, 0}, {0, 0, 1, 1}, {0, 0, 0, 0}});
  // The third variant is fixed here.
  const GenotypeMatrix synthetic = Haplotypes({{1, 1, 1, 1}, {1, 1, 1, 0}, {0, 1, 1, 0}, {0, 0, 1, 1}});
  const NeighbourLinkage linkage = CompareNeighbourLinkage(real, synthetic, variants);
  EXPECT_EQ(linkage.pairs, 1);
  EXPECT_EQ(linkage.dropped, 1);
  EXPECT_NEAR(linkage.real, 1, 1e-12);
  EXPECT_NEAR(linkage.synthetic, 1.0 / 3.0, 1e-12);
}

TEST(LinkageTest, WithoutPairsTheMeanIsNotANumber) {
  const GenotypeMatrix h = Haplotypes({{1, 1}, {0, 0}});
  EXPECT_TRUE(std::isnan(CompareNeighbourLinkage(h, h, VariantsOn({"1", "2"})).real));
}

}  // namespace
}  // namespace genoserve
