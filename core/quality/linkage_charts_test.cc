#include "core/quality/linkage_charts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

TEST(LinkageChartsTest, DecayIsTheMeanOfBinsWithEnoughPairs) {
  std::array<DecaySums, kCandidates.size()> sums;
  sums[0].bins[0] = {1000, 500, 500};
  sums[0].bins[16] = {100, 40, 30};  // 1,000 to 1,585 bp
  sums[0].bins[17] = {49, 40, 30};
  sums[1].bins[16] = {200, 10, 90};
  sums[2].bins[16] = {50, 10, 1};
  const v1::Chart chart = DecayChart(sums);
  ASSERT_EQ(chart.series_size(), 4);
  const std::array<std::pair<const char*, float>, 4> expected = {
      {{"holdout", 0.4F}, {"synthetic", 0.3F}, {"training", 0.45F}, {"naive", 0.02F}}};
  for (int i = 0; i < 4; ++i) {
    const v1::Series& line = chart.series(i);
    EXPECT_EQ(line.role(), expected[static_cast<size_t>(i)].first);
    ASSERT_EQ(line.y_size(), 1);
    EXPECT_FLOAT_EQ(line.x(0), std::sqrt(1000.0F * 1585.0F));
    EXPECT_FLOAT_EQ(line.y(0), expected[static_cast<size_t>(i)].second);
  }
  EXPECT_TRUE(chart.x().logarithmic());
}

TEST(LinkageChartsTest, StrongestRangeIsOnOneContig) {
  // Two contigs of two variants; those of the second are one another's copies.
  const VariantCorrelations set(Haplotypes({{1, 1, 1, 1}, {1, 1, 0, 0}, {0, 1, 1, 1}, {0, 0, 0, 0}}));
  const VariantRange range = StrongestRange(set, VariantsOn({"1", "1", "2", "2"}));
  EXPECT_EQ(range.begin, 2U);
  EXPECT_EQ(range.end, 4U);
  const VariantRange none = StrongestRange(set, VariantsOn({"1", "2", "3", "4"}));
  EXPECT_EQ(none.begin, none.end);
}

TEST(LinkageChartsTest, StrongestRangeOfALongContig) {
  // 250 variants that do not vary but for the copies 180 to 189.
  std::vector<std::vector<uint8_t>> rows(4, std::vector<uint8_t>(250));
  for (size_t v = 180; v < 190; ++v) rows[0][v] = rows[1][v] = 1;
  const VariantRange range =
      StrongestRange(VariantCorrelations(Haplotypes(rows)), VariantsOn(std::vector<std::string>(250, "1")));
  EXPECT_EQ(range.end - range.begin, kHeatmapVariants);
  EXPECT_LE(range.begin, 180U);
  EXPECT_GE(range.end, 190U);
}

TEST(LinkageChartsTest, HeatmapIsRealAboveAndSyntheticBelow) {
  const QualitySets sets = TestSets(80, 30, true);
  const LinkageSets all = LinkageSets::Of(sets);
  const v1::Chart chart = HeatmapChart(all, sets.variants, {4, 7}, "A");
  EXPECT_EQ(chart.label(), "A");
  ASSERT_EQ(chart.matrix().values_size(), 9);
  EXPECT_EQ(chart.matrix().rows(2), "1:7000");
  const double real = all.real.Of(4, 6);
  const double synthetic = all.compared[0].Of(4, 6);
  EXPECT_FLOAT_EQ(chart.matrix().values(2), static_cast<float>(real * real));
  EXPECT_FLOAT_EQ(chart.matrix().values(6), static_cast<float>(synthetic * synthetic));
  EXPECT_TRUE(std::isnan(chart.matrix().values(4)));
}

}  // namespace
}  // namespace genoserve
