#include "server/cohort/draws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace genoserve {
namespace {

using testing::ElementsAre;

TEST(LargestRemainderTest, SharesAreWholeAndSumToTheSize) {
  EXPECT_THAT(LargestRemainder(10, std::vector<double>{1, 1}), ElementsAre(5, 5));
  EXPECT_THAT(LargestRemainder(10, std::vector<double>{0.5, 0.25, 0.25}), ElementsAre(5, 3, 2));  // a tie: first given
  EXPECT_THAT(LargestRemainder(100, std::vector<double>{1, 1, 1}), ElementsAre(34, 33, 33));
  EXPECT_THAT(LargestRemainder(3, std::vector<double>{0.1, 10}), ElementsAre(0, 3));
  EXPECT_THAT(LargestRemainder(0, std::vector<double>{1, 2}), ElementsAre(0, 0));
}

TEST(LargestRemainderTest, OnlyTheRatiosMatter) {
  EXPECT_EQ(LargestRemainder(1000, std::vector<double>{2, 3, 5}),
            LargestRemainder(1000, std::vector<double>{0.2, 0.3, 0.5}));
}

TEST(LargestRemainderTest, LargeCohortsAndManyTermsSumUp) {
  for (const int64_t size : {int64_t{1}, int64_t{99'999'999}, int64_t{1} << 40}) {
    std::vector<double> proportions;
    for (int i = 1; i <= 97; ++i) proportions.push_back(1.0 / i);
    const auto counts = LargestRemainder(size, proportions);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), size);
  }
}

TEST(DrawIndexTest, EachWeightHasItsShare) {
  const auto cumulative = Cumulate(std::vector<double>{1, 0, 3});
  EXPECT_EQ(DrawIndex(cumulative, 0), 0);
  EXPECT_EQ(DrawIndex(cumulative, 0x3FFFFFFF), 0);
  EXPECT_EQ(DrawIndex(cumulative, 0x40000000), 2);
  EXPECT_EQ(DrawIndex(cumulative, 0xFFFFFFFF), 2);
  EXPECT_EQ(DrawIndex(Cumulate(std::vector<double>{1, 0}), 0xFFFFFFFF), 0);
}

TEST(DrawFromQuantilesTest, InterpolatesBetweenTheKnownOnes) {
  std::vector<double> quantiles(kQuantiles);
  for (size_t i = 0; i < kQuantiles; ++i) quantiles[i] = static_cast<double>(i);
  quantiles.front() = 0.5;
  quantiles.back() = 99.5;
  // These quantiles are those of the uniform distribution on 0 to 100, cut at 0.5 and 99.5.
  for (const double p : {0.001, 0.004, 0.007, 0.0123, 0.25, 0.5, 0.987, 0.991, 0.9949, 0.997}) {
    const auto bits = static_cast<uint32_t>(p * 4294967296.0);
    const double value = DrawFromQuantiles(quantiles, bits);
    EXPECT_NEAR(value, std::min(std::max(100 * p, 0.5), 99.5), 1e-6) << p;
  }
  EXPECT_EQ(DrawFromQuantiles(quantiles, 0), 0.5);
  EXPECT_EQ(DrawFromQuantiles(quantiles, 0xFFFFFFFF), 99.5);
}

}  // namespace
}  // namespace genoserve
