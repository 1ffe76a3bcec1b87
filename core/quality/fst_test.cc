#include "core/quality/fst.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

namespace genoserve {
namespace {

double Ratio(const FstTerms& terms) {
  return std::accumulate(terms.numerators.begin(), terms.numerators.end(), 0.0) /
         std::accumulate(terms.denominators.begin(), terms.denominators.end(), 0.0);
}

TEST(FstTest, HudsonByHand) {
  // p1 = 1/4 of 8 alleles, p2 = 3/4 of 4: N = 1/4 - (3/16)/7 - (3/16)/3 = 9/56, D = 1/16 + 9/16. The second variant is
  // fixed for the same allele on both sides.
  const VariantCounts a{4, {2, 0}, {0, 4}};
  const VariantCounts b{2, {1, 0}, {1, 2}};
  const FstTerms terms = HudsonTerms(a, b);
  EXPECT_NEAR(terms.numerators[0], 9.0 / 56, 1e-12);
  EXPECT_NEAR(terms.denominators[0], 10.0 / 16, 1e-12);
  EXPECT_EQ(terms.numerators[1], 0);
  EXPECT_EQ(terms.denominators[1], 0);
}

TEST(FstTest, FixedDifferencesAreOne) {
  const VariantCounts a{5, {0, 0}, {0, 5}};
  const VariantCounts b{5, {0, 0}, {5, 0}};
  EXPECT_DOUBLE_EQ(Ratio(HudsonTerms(a, b)), 1);
  EXPECT_DOUBLE_EQ(Ratio(WeirCockerhamTerms(a, b)), 1);
}

TEST(FstTest, WeirCockerhamByHandOfUnequalSides) {
  // n = 4 and 2, p = 1/4 and 3/4, heterozygotes 2 and 1: n mean 3, n_c = 6 - 20/6 = 8/3, p mean = 5/12,
  // s^2 = (4 (1/6)^2 + 2 (1/3)^2) / 3 = 1/9, h = 1/2; p mean (1 - p mean) - s^2/2 = 35/144 - 8/144 = 27/144.
  // a = 9/8 (1/9 - (27/144 - 1/8)/2) = 9/8 (16/144 - 4.5/144), b = 3/2 (27/144 - 5/12 * 1/2) = 3/2 * -3/144, c = 1/4.
  const VariantCounts a{4, {2}, {0}};
  const VariantCounts b{2, {1}, {1}};
  const FstTerms terms = WeirCockerhamTerms(a, b);
  const double between = 9.0 / 8 * 11.5 / 144;
  EXPECT_NEAR(terms.numerators[0], between, 1e-12);
  EXPECT_NEAR(terms.denominators[0], between - 4.5 / 144 + 0.25, 1e-12);
}

TEST(FstTest, MatrixOfLabels) {
  const std::vector<VariantCounts> counts = {
      {5, {0, 2, 1}, {0, 1, 1}}, {4, {1, 0, 0}, {3, 4, 0}}, {6, {3, 2, 0}, {2, 2, 0}}};
  const VariantBlocks blocks(3);
  const LabelFst fst(blocks, counts, {0, 1, 2});
  ASSERT_EQ(fst.pairs(), 3);
  const std::vector<double> all = fst.All();
  EXPECT_NEAR(all[0], Ratio(HudsonTerms(counts[0], counts[1])), 1e-12);
  EXPECT_NEAR(all[1], Ratio(HudsonTerms(counts[0], counts[2])), 1e-12);
  EXPECT_NEAR(all[2], Ratio(HudsonTerms(counts[1], counts[2])), 1e-12);
  // Some labels, of some blocks, one of them twice.
  const LabelFst two(blocks, counts, {0, 2});
  const FstTerms terms = HudsonTerms(counts[0], counts[2]);
  const std::vector<uint32_t> drawn = {1, 0, 1};
  EXPECT_NEAR(two.Over(drawn)[0],
              (terms.numerators[0] + 2 * terms.numerators[1]) / (terms.denominators[0] + 2 * terms.denominators[1]),
              1e-12);
  // The third variant is fixed for REF in labels 1 and 2.
  const std::vector<uint32_t> third = {2};
  EXPECT_TRUE(std::isnan(fst.Over(third)[2]));
}

TEST(FstTest, MatricesDifferByTheRootMeanSquareOfTheirPairs) {
  const VariantBlocks blocks(2);
  // Real: labels fixed for other alleles, Fst 1. Candidate: one variant of two so, the other alike with p = 1/2 on both
  // sides, of 4 alleles each: N = -(1/4)/3 * 2, D = 1/2.
  const LabelFst real(blocks, {{2, {0, 0}, {0, 0}}, {2, {0, 0}, {2, 2}}}, {0, 1});
  const LabelFst candidate(blocks, {{2, {0, 0}, {0, 1}}, {2, {0, 0}, {2, 1}}}, {0, 1});
  const Measurement difference = MeasureMatrixDifference(blocks, real, candidate, 1);
  EXPECT_NEAR(difference.value, 1 - (1 - 1.0 / 6) / 1.5, 1e-12);
  EXPECT_EQ(difference.n, 1);
  const LabelFst fixed(blocks, {{2, {0, 0}, {0, 0}}, {2, {0, 0}, {0, 0}}}, {0, 1});
  EXPECT_FALSE(MeasureMatrixDifference(blocks, real, fixed, 1).reason.empty());
}

}  // namespace
}  // namespace genoserve
