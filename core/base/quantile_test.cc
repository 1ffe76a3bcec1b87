#include "core/base/quantile.h"

#include <gtest/gtest.h>

#include <vector>

namespace genoserve {
namespace {

TEST(QuantileTest, Interpolates) {
  const std::vector<double> sorted = {10, 20, 40};
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0), 10);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.25), 15);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.75), 30);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 1), 40);
  EXPECT_DOUBLE_EQ(Quantile(std::vector<double>{3}, 0.7), 3);
}

}  // namespace
}  // namespace genoserve
