#include "core/quality/person_resamples.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/quality/measurement.h"

namespace genoserve {
namespace {

TEST(PersonResamplesTest, FamiliesAreDrawnWhole) {
  const std::vector<int> families = {5, 5, 9, 5, 9, 2};
  const PersonResamples resamples(6, {}, families, 1, 0);
  EXPECT_EQ(std::vector<uint32_t>(resamples.All().begin(), resamples.All().end()), std::vector<uint32_t>(6, 1));
  uint32_t most = 0;
  for (size_t replicate = 0; replicate < kReplicates; ++replicate) {
    const std::span<const uint32_t> times = resamples.Replicate(replicate);
    EXPECT_EQ(times[0], times[1]);
    EXPECT_EQ(times[0], times[3]);
    EXPECT_EQ(times[2], times[4]);
    EXPECT_EQ(times[0] + times[2] + times[5], 3U) << "as many families as there are";
    most = std::max(most, times[5]);
  }
  EXPECT_EQ(most, 3U);
}

TEST(PersonResamplesTest, LabelsKeepTheirShares) {
  const std::vector<int> labels = {0, 1, 1, 0, 1};
  const PersonResamples resamples(5, labels, {}, 1, 0);
  for (size_t replicate = 0; replicate < kReplicates; ++replicate) {
    const std::span<const uint32_t> times = resamples.Replicate(replicate);
    EXPECT_EQ(times[0] + times[3], 2U);
    EXPECT_EQ(times[1] + times[2] + times[4], 3U);
  }
}

TEST(PersonResamplesTest, AFamilyOfTwoLabelsCountsToThatOfItsFirst) {
  // One unit of label 0, two of label 1: the family is in every resample once.
  const PersonResamples resamples(4, std::vector<int>{0, 1, 1, 1}, std::vector<int>{7, 7, 8, 9}, 1, 0);
  for (size_t replicate = 0; replicate < kReplicates; ++replicate) {
    const std::span<const uint32_t> times = resamples.Replicate(replicate);
    EXPECT_EQ(times[0], 1U);
    EXPECT_EQ(times[1], 1U);
    EXPECT_EQ(times[2] + times[3], 2U);
  }
}

TEST(PersonResamplesTest, TheSpreadIsThatOfAMean) {
  // The mean of 0, 1, ..., 99 over 100 draws has a standard deviation of sqrt((100^2 - 1) / 12 / 100) = 2.9.
  const PersonResamples resamples(100, {}, {}, 3, 0);
  const PersonResamples other(100, {}, {}, 3, 1);
  double sum = 0;
  double squares = 0;
  double product = 0;
  for (size_t replicate = 0; replicate < kReplicates; ++replicate) {
    double mean = -49.5;
    double other_mean = -49.5;
    for (size_t i = 0; i < 100; ++i) {
      mean += static_cast<double>(i) * resamples.Replicate(replicate)[i] / 100;
      other_mean += static_cast<double>(i) * other.Replicate(replicate)[i] / 100;
    }
    sum += mean;
    squares += mean * mean;
    product += mean * other_mean;
  }
  EXPECT_NEAR(sum / kReplicates, 0, 0.8);
  EXPECT_NEAR(std::sqrt(squares / kReplicates), 2.9, 0.5);
  // Two streams have nothing in common.
  EXPECT_NEAR(product / kReplicates / 8.3, 0, 0.25);
}

}  // namespace
}  // namespace genoserve
