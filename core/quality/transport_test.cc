#include "core/quality/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> Draws(TestRandom* random, size_t count, uint64_t bound) {
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<double>(random->Below(bound)) / 16;
  return values;
}

TEST(TransportTest, LineByHand) {
  // {0, 1} to {3, 5}: both orders cost (3 + 4) / 2.
  EXPECT_DOUBLE_EQ(LineTransport(std::vector<double>{1, 0}, std::vector<double>{3, 5}).cost, 3.5);
  // {0} to {0, 1}: half of the mass goes 1.
  EXPECT_DOUBLE_EQ(LineTransport(std::vector<double>{0}, std::vector<double>{0, 1}).cost, 0.5);
  EXPECT_DOUBLE_EQ(LineTransport(std::vector<double>{2, 4, 2}, std::vector<double>{4, 2, 2}).cost, 0);
}

TEST(TransportTest, LineIsTheMeanDistanceOfSortedPointsWhereSizesAreEqual) {
  TestRandom random(1);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> x = Draws(&random, 31, 100);
    std::vector<double> y = Draws(&random, 31, 140);
    const Transport transport = LineTransport(x, y);
    // Each pair of points costs at least its potentials.
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < y.size(); ++j) {
        EXPECT_LE(transport.from[i] + transport.to[j], std::abs(x[i] - y[j]) + 1e-12);
      }
    }
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    double sum = 0;
    for (size_t i = 0; i < x.size(); ++i) sum += std::abs(x[i] - y[i]);
    EXPECT_NEAR(transport.cost, sum / 31, 1e-12);
  }
}

TEST(TransportTest, BeyondTheOtherSampleAPointsPotentialGrowsWithItsPlace) {
  // All mass goes left, so that cost is the difference of means and each point adds its own place to it.
  const std::vector<double> x = {7, 9, 8};
  const std::vector<double> y = {1, 3, -2};
  const Transport transport = LineTransport(x, y);
  EXPECT_DOUBLE_EQ(transport.cost, 8 - 2.0 / 3.0);
  for (size_t i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(transport.from[i] + transport.to[i], x[i] - y[i]);
}

TEST(TransportTest, AssignmentIsTheBestOfAllPermutations) {
  TestRandom random(2);
  for (int round = 0; round < 50; ++round) {
    Eigen::MatrixXd cost(6, 6);
    // Small whole numbers, of which many are equal.
    for (int64_t i = 0; i < 36; ++i) cost.data()[i] = static_cast<double>(random.Below(12)) - 3;
    std::vector<size_t> permutation(6);
    std::iota(permutation.begin(), permutation.end(), size_t{0});
    double best = 1e9;
    do {
      double sum = 0;
      for (size_t i = 0; i < 6; ++i) sum += cost(static_cast<int64_t>(i), static_cast<int64_t>(permutation[i]));
      best = std::min(best, sum);
    } while (std::next_permutation(permutation.begin(), permutation.end()));

    std::vector<size_t> match;
    const Transport transport = AssignmentTransport(cost, &match);
    EXPECT_NEAR(transport.cost, best / 6, 1e-12);
    EXPECT_NEAR(Mean(transport.from) + Mean(transport.to), best / 6, 1e-12);
    double matched = 0;
    for (size_t i = 0; i < 6; ++i) {
      matched += cost(static_cast<int64_t>(i), static_cast<int64_t>(match[i]));
      for (size_t j = 0; j < 6; ++j) {
        EXPECT_LE(transport.from[i] + transport.to[j], cost(static_cast<int64_t>(i), static_cast<int64_t>(j)) + 1e-12);
      }
    }
    EXPECT_NEAR(matched, best, 1e-12);
    std::sort(match.begin(), match.end());
    for (size_t i = 0; i < 6; ++i) EXPECT_EQ(match[i], i);
  }
}

TEST(TransportTest, OnALineAssignmentAndAreaAgree) {
  TestRandom random(3);
  const std::vector<double> x = Draws(&random, 200, 1000);
  const std::vector<double> y = Draws(&random, 200, 1300);
  Eigen::MatrixXd cost(200, 200);
  for (int64_t i = 0; i < 200; ++i) {
    for (int64_t j = 0; j < 200; ++j) cost(i, j) = std::abs(x[static_cast<size_t>(i)] - y[static_cast<size_t>(j)]);
  }
  EXPECT_NEAR(AssignmentTransport(cost, nullptr).cost, LineTransport(x, y).cost, 1e-9);
}

}  // namespace
}  // namespace genoserve
