#include "core/quality/linkage_pairs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

TEST(LinkagePairsTest, HaplotypesByHand) {
  // p_A = 1/2, p_B = 3/4, p_AB = 1/2: D = 1/8, r = 1/8 / sqrt(3/64) = 1 / sqrt(3). The third is the first's opposite.
  const VariantCorrelations set(Haplotypes({{1, 1, 0}, {1, 1, 0}, {0, 1, 1}, {0, 0, 1}}));
  EXPECT_NEAR(set.Of(0, 1), 1 / std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(set.Of(0, 2), -1, 1e-15);
  std::vector<double> next(2);
  set.WithNext(0, next);
  EXPECT_EQ(next, (std::vector<double>{set.Of(0, 1), set.Of(0, 2)}));
}

TEST(LinkagePairsTest, GenotypesByHand) {
  // x = 0 1 2 1, y = 0 1 1 0, so that n = 4, sum x = 4, y = 2, xx = 6, yy = 2, xy = 3:
  // (4 * 3 - 4 * 2) / sqrt((4 * 6 - 16) (4 * 2 - 4)) = 4 / sqrt(32).
  const VariantCorrelations set(Diploid({{0, 0}, {1, 1}, {2, 1}, {1, 0}}));
  EXPECT_NEAR(set.Of(0, 1), 4 / std::sqrt(32.0), 1e-15);
  std::vector<double> next(1);
  set.WithNext(0, next);
  EXPECT_EQ(next[0], set.Of(0, 1));
}

TEST(LinkagePairsTest, VariantsThatDoNotVaryHaveNoCorrelation) {
  const VariantCorrelations set(Diploid({{0, 1, 2, 1}, {1, 1, 2, 0}}));
  EXPECT_TRUE(std::isnan(set.Of(0, 1)));
  EXPECT_TRUE(std::isnan(set.Of(1, 2)));
  std::vector<double> next(3);
  set.WithNext(0, next);
  EXPECT_TRUE(std::isnan(next[0]));
  EXPECT_TRUE(std::isnan(next[1]));
  EXPECT_NEAR(next[2], -1, 1e-15);
  set.WithNext(1, std::span(next).first(2));
  EXPECT_TRUE(std::isnan(next[1]));
}

TEST(LinkagePairsTest, SumsByHand) {
  PairSums sums;
  sums.Add(0.5, 0.1);
  sums.Add(std::nan(""), 0.3);
  sums.Add(-0.1, 0.2);
  PairSums more;
  more.Add(0.3, 0.4);
  sums += more;
  EXPECT_EQ(sums.considered, 4);
  EXPECT_EQ(sums.pairs, 3);
  // Gaps of r^2: -0.24, 0.03, 0.07.
  EXPECT_NEAR(sums.R2Rmse(), std::sqrt((0.0576 + 0.0009 + 0.0049) / 3), 1e-15);
  // Deviations from 0.7 / 3 and 0.7 / 3: (0.8, -1.0, 0.2) / 3 and (-0.4, -0.1, 0.5) / 3.
  EXPECT_NEAR(sums.CorrelationOfR(), (-0.32 + 0.1 + 0.1) / std::sqrt(1.68 * 0.42), 1e-12);
  EXPECT_TRUE(std::isnan(PairSums().R2Rmse()));
  EXPECT_TRUE(std::isnan(more.CorrelationOfR()));
}

TEST(LinkagePairsTest, BinsOfDistanceAreFiveADecade) {
  const std::array<int64_t, kDecayBins>& edges = DecayEdges();
  EXPECT_EQ(edges[0], 0);
  EXPECT_EQ(edges[1], 1);
  EXPECT_EQ(edges[6], 10);
  EXPECT_EQ(edges[11], 100);
  EXPECT_EQ(edges[46], 1'000'000'000);
  EXPECT_TRUE(std::is_sorted(edges.begin(), edges.end()));
}

TEST(LinkagePairsTest, NearPairsEndWithTheContigOrTheWindow) {
  std::vector<std::string> contigs(250, "1");
  contigs.insert(contigs.end(), 10, "2");
  const std::vector<size_t> ends = NearEnds(VariantsOn(contigs));
  EXPECT_EQ(ends[0], 201U);
  EXPECT_EQ(ends[48], 249U);
  EXPECT_EQ(ends[60], 250U);
  EXPECT_EQ(ends[249], 250U);
  EXPECT_EQ(ends[250], 260U);
  EXPECT_TRUE(NearEnds(VariantTable()).empty());
}

TEST(LinkagePairsTest, FarPairsAreAllWhereTheyAreFew) {
  std::vector<std::string> contigs(203, "1");
  contigs.insert(contigs.end(), 2, "2");
  const std::vector<VariantPair> pairs = FarPairs(VariantsOn(contigs), 1000, 1);
  // 1 + 2 on the first contig more than 200 apart, and 203 * 2 on two contigs.
  ASSERT_EQ(pairs.size(), 3U + 406U);
  std::set<std::pair<size_t, size_t>> found;
  for (const VariantPair& pair : pairs) {
    EXPECT_TRUE(pair.j - pair.i > kLinkageWindow || (pair.i < 203 && pair.j >= 203));
    found.insert({pair.i, pair.j});
  }
  EXPECT_EQ(found.size(), pairs.size());
}

TEST(LinkagePairsTest, ManyFarPairsAreDrawnEvenly) {
  const VariantTable variants = VariantsOn(std::vector<std::string>(1000, "1"));
  const std::vector<VariantPair> pairs = FarPairs(variants, 2000, 1);
  ASSERT_EQ(pairs.size(), 2000U);
  std::set<std::pair<size_t, size_t>> found;
  double lag = 0;
  for (size_t k = 0; k < pairs.size(); ++k) {
    ASSERT_LT(pairs[k].j, 1000U);
    ASSERT_GT(pairs[k].j, pairs[k].i + kLinkageWindow);
    ASSERT_GE(pairs[k].i, pairs[k == 0 ? 0 : k - 1].i);
    found.insert({pairs[k].i, pairs[k].j});
    lag += static_cast<double>(pairs[k].j - pairs[k].i) / 2000;
  }
  EXPECT_GT(found.size(), 1990U);
  // The lags 201 to 999 have 799 to 1 pairs; the mean is 201 + 798 / 3 = 467.
  EXPECT_NEAR(lag, 467, 15);
  const std::vector<VariantPair> other = FarPairs(variants, 2000, 2);
  EXPECT_FALSE(std::equal(pairs.begin(), pairs.end(), other.begin(),
                          [](const VariantPair& a, const VariantPair& b) { return a.i == b.i && a.j == b.j; }));
}

TEST(LinkagePairsTest, FarPairsNeedDistance) {
  EXPECT_TRUE(FarPairs(VariantsOn(std::vector<std::string>(201, "1")), 100, 1).empty());
  EXPECT_TRUE(FarPairs(VariantTable(), 100, 1).empty());
}

TEST(LinkagePairsTest, BlocksCoverEachPairOnceAndStrideThinsThem) {
  const QualitySets sets = TestSets(80, 301, true);
  const LinkageSets all = LinkageSets::Of(sets);
  ASSERT_EQ(LinkageBlocks(301), 20U);
  const auto considered = [&](size_t stride) {
    const BlockSums<NearSums> sums = SumNearPairs(all, sets.variants, stride);
    int64_t pairs = 0;
    for (const NearSums& block : sums[0]) pairs += block.window.considered;
    return pairs;
  };
  EXPECT_EQ(considered(1), 101 * 200 + 200 * 199 / 2);
  // First variants 0, 3, ... 99 with 200 each, then 102, ... 300 with 198, 195, ... 0.
  EXPECT_EQ(considered(3), 34 * 200 + 3 * 66 * 67 / 2);
  const BlockSums<PairSums> far = SumPairs(all, FarPairs(sets.variants, kFarPairs, 1));
  int64_t pairs = 0;
  for (const PairSums& block : far[0]) pairs += block.considered;
  EXPECT_EQ(pairs, 100 * 101 / 2);
}

TEST(LinkagePairsTest, LabelsHaveTheirOwnSamples) {
  const QualitySets sets = TestSets(80, 40, false);
  const LinkageSets of_label = LinkageSets::OfLabel(sets, 1);
  const VariantCorrelations expected(sets.holdout.genotypes.SelectSamples(sets.holdout.WithLabel(1)));
  EXPECT_EQ(of_label.real.Of(3, 4), expected.Of(3, 4));
  EXPECT_NE(of_label.real.Of(3, 4), LinkageSets::Of(sets).real.Of(3, 4));
}

}  // namespace
}  // namespace genoserve
