#include "core/model/stable_exp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace genoserve {
namespace {

TEST(StableExpTest, IsRightEverywhere) {
  for (double x = -86.9; x < 87; x += 0.0137) {
    const auto argument = static_cast<float>(x);
    EXPECT_NEAR(StableExpInline(argument) / std::exp(static_cast<double>(argument)), 1.0, 3e-7) << x;
  }
  EXPECT_EQ(StableExpInline(0.0F), 1.0F);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(StableExpInline(infinity), StableExpInline(87.0F));
  EXPECT_EQ(StableExpInline(-infinity), StableExpInline(-87.0F));
  EXPECT_EQ(StableExpInline(std::numeric_limits<float>::quiet_NaN()), StableExpInline(-87.0F));
}

}  // namespace
}  // namespace genoserve
