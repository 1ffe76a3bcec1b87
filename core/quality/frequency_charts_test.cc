#include "core/quality/frequency_charts.h"

#include <gmock/gmock.h>

#include <numeric>

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

TEST(FrequencyChartsTest, ScatterIsThinnedAndHasALine) {
  std::vector<double> holdout(10000);
  for (size_t v = 0; v < holdout.size(); ++v) holdout[v] = static_cast<double>(v) / 10000;
  std::vector<double> synthetic(holdout.rbegin(), holdout.rend());
  const v1::Chart chart = FrequencyScatter(holdout, synthetic);
  ASSERT_EQ(chart.series_size(), 2);
  ASSERT_EQ(chart.series(0).x_size(), 2000);
  EXPECT_FLOAT_EQ(chart.series(0).x(1), 0.0005F) << "every fifth variant";
  EXPECT_FLOAT_EQ(chart.series(0).y(1), 0.9994F);
  EXPECT_EQ(chart.series(0).role(), "synthetic");
  EXPECT_THAT(chart.series(1).x(), ElementsAre(0, 1));
  EXPECT_EQ(chart.series(1).role(), "");
  const std::vector<double> few = {0.25, 0.5};
  EXPECT_THAT(FrequencyScatter(few, few).series(0).x(), ElementsAre(0.25, 0.5));
}

TEST(FrequencyChartsTest, HistogramHasSharesInBinsOfEqualWidth) {
  const std::vector<double> holdout = {0.1, 0.2, 0.2, 0.4};
  const std::vector<double> synthetic = {0.1, 0.1};
  const std::vector<double> naive = {0.3};
  const v1::Chart chart = HeterozygosityHistogram(holdout, synthetic, naive);
  ASSERT_EQ(chart.series_size(), 3);
  const v1::Series& real = chart.series(0);
  ASSERT_EQ(real.x_size(), 30);
  EXPECT_FLOAT_EQ(real.x(0), 0.1F);
  EXPECT_NEAR(real.x(29), 0.39, 1e-6);
  EXPECT_FLOAT_EQ(real.y(0), 0.25F);
  EXPECT_FLOAT_EQ(real.y(29), 0.25F) << "the largest value is in the last bin";
  EXPECT_FLOAT_EQ(std::accumulate(real.y().begin(), real.y().end(), 0.0F), 1);
  EXPECT_EQ(chart.series(1).role(), "synthetic");
  EXPECT_FLOAT_EQ(chart.series(1).y(0), 1);
  EXPECT_EQ(chart.series(2).role(), "naive");
}

TEST(FrequencyChartsTest, HistogramOfOneValue) {
  const std::vector<double> same(5, 0.25);
  EXPECT_THAT(HeterozygosityHistogram(same, same, same).series(0).y(0), FloatNear(1, 1e-6F));
}

}  // namespace
}  // namespace genoserve
