#include "core/quality/distance_cohorts.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

TEST(DistanceCohortsTest, LargeCohortsAreThinnedEvenly) {
  const QualitySets sets = TestSets(200, 50, true);
  const size_t most = 40;
  ASSERT_GT(sets.holdout.genotypes.rows(), most);
  const DistanceCohorts cohorts = DistanceCohorts::Of(sets, most);
  EXPECT_EQ(cohorts.samples(), 20U);
  EXPECT_EQ(cohorts.rows(), 40U);
  EXPECT_EQ(cohorts.member_rows.vectors(), 40U);
  EXPECT_EQ(cohorts.rows_of(Candidate::kNaive).vectors(), 40U);
  // Labels keep their shares, and a place has the same label in all cohorts.
  EXPECT_EQ(cohorts.holdout.WithLabel(0).size(), 10U);
  EXPECT_EQ(cohorts.holdout.labels, cohorts.candidate(Candidate::kFloor).labels);
  EXPECT_EQ(DistanceCohorts::Of(sets).samples(), sets.n());
}

TEST(DistanceCohortsTest, RowsOfASampleAreAveraged) {
  const std::vector<double> values = {0, 1, 1, 1, 0, 0};
  EXPECT_EQ(PerSample(values, 2), (std::vector<double>{0.5, 1, 0}));
  EXPECT_EQ(PerSample(values, 1), values);
}

TEST(DistanceCohortsTest, FunctionsOfMeansResampleAllColumnsAlike) {
  std::vector<double> values(50);
  std::iota(values.begin(), values.end(), 0.0);
  const Measurement difference = BootstrapOfMeans(
      {values, values}, 3, [](std::span<const double> means) { return means[0] - means[1]; }, "none");
  EXPECT_EQ(difference.value, 0);
  EXPECT_EQ(difference.low, 0);
  EXPECT_EQ(difference.high, 0);
  const Measurement mean = BootstrapOfMeans(
      {values}, 3, [](std::span<const double> means) { return means[0]; }, "none");
  EXPECT_EQ(mean.value, 24.5);
  // The standard error is 14.43 / sqrt(50) = 2.04.
  EXPECT_NEAR(mean.low, 24.5 - 1.96 * 2.04, 1);
  EXPECT_NEAR(mean.high, 24.5 + 1.96 * 2.04, 1);
}

TEST(DistanceCohortsTest, BinsCoverAllDistances) {
  const Bins narrow = Bins::Over(5, 9, 240);
  EXPECT_EQ(narrow.width, 1U);
  EXPECT_EQ(narrow.count, 5U);
  EXPECT_EQ(narrow.Of(9), 4U);
  const Bins wide = Bins::Over(0, 1000, 240);
  EXPECT_EQ(wide.width, 5U);
  EXPECT_EQ(wide.count, 201U);
  EXPECT_EQ(wide.Of(1000), 200U);
  EXPECT_EQ(Bins::Over(7, 7, 240).count, 1U);
}

TEST(DistanceCohortsTest, HistogramsAreShares) {
  v1::Chart chart;
  AddHistogram("a", "synthetic", Bins{10, 5, 3}, std::vector<double>{1, 0, 3}, 100, &chart);
  const v1::Series& series = chart.series(0);
  EXPECT_EQ(series.role(), "synthetic");
  EXPECT_FLOAT_EQ(series.x(0), 0.1F);
  EXPECT_FLOAT_EQ(series.x(2), 0.2F);
  EXPECT_FLOAT_EQ(series.y(0), 0.25F);
  EXPECT_FLOAT_EQ(series.y(2), 0.75F);
}

}  // namespace
}  // namespace genoserve
