#include "core/quality/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace genoserve {
namespace {

const double kNan = std::nan("");

Agreement CompareVectors(const std::vector<double>& x, const std::vector<double>& y) { return Compare(x, y); }

TEST(AgreementTest, HandWorkedValues) {
  // Means 2 and 2.5; deviations (-1, 0, 1) and (-1.5, -0.5, 2): r = 3.5 / sqrt(2 * 6.5).
  const Agreement a = CompareVectors({1, 2, 3}, {1, 2, 4.5});
  EXPECT_EQ(a.pairs, 3);
  EXPECT_NEAR(a.pearson, 3.5 / std::sqrt(13.0), 1e-12);
  EXPECT_NEAR(a.rmse, std::sqrt(2.25 / 3), 1e-12);
  EXPECT_DOUBLE_EQ(a.max_difference, 1.5);
}

TEST(AgreementTest, LeavesOutPairsWithNoNumber) {
  const Agreement a = CompareVectors({0.1, kNan, 0.5, 0.9}, {0.1, 0.2, kNan, 0.9});
  EXPECT_EQ(a.pairs, 2);
  EXPECT_DOUBLE_EQ(a.pearson, 1);
  EXPECT_DOUBLE_EQ(a.rmse, 0);
}

TEST(AgreementTest, AnticorrelatedIsMinusOne) {
  EXPECT_DOUBLE_EQ(CompareVectors({0, 0.5, 1}, {1, 0.5, 0}).pearson, -1);
}

TEST(AgreementTest, CorrelationWithAConstantIsNotANumber) {
  const Agreement a = CompareVectors({0.1, 0.2, 0.3}, {0.1, 0.1, 0.1});
  EXPECT_TRUE(std::isnan(a.pearson));
  EXPECT_DOUBLE_EQ(a.max_difference, 0.2);
  EXPECT_TRUE(std::isnan(CompareVectors({0.3}, {0.2}).pearson)) << "one pair has no correlation";
}

TEST(AgreementTest, NothingToCompareIsNotANumber) {
  const Agreement a = CompareVectors({kNan}, {0.2});
  EXPECT_EQ(a.pairs, 0);
  EXPECT_TRUE(std::isnan(a.rmse));
}

}  // namespace
}  // namespace genoserve
