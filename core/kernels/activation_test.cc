#include "core/kernels/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels/test_targets.h"

namespace genoserve {
namespace {

TEST(ActivationTest, NegativeValuesAreScaled) {
  for (const size_t size : {1UL, 7UL, 16UL, 33UL}) {
    OnEachTarget([&] {
      std::vector<float> values(size + 1);
      for (size_t i = 0; i <= size; ++i) values[i] = (i % 3 == 0 ? -1.0F : 1.0F) * static_cast<float>(i + 1);
      std::vector<float> wanted = values;
      for (size_t i = 0; i < size; ++i) wanted[i] *= i % 3 == 0 ? 0.2F : 1.0F;
      LeakyRelu({values.data(), size}, 0.2F);
      EXPECT_EQ(values, wanted);
    });
  }
}

TEST(ActivationTest, WhatIsNotFiniteStays) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> values(40, infinity);
  values[1] = -infinity;
  values[20] = std::numeric_limits<float>::quiet_NaN();
  LeakyRelu(values, 0.0F);
  EXPECT_EQ(values[0], infinity);
  EXPECT_TRUE(std::isnan(values[1]));  // 0 times infinity
  EXPECT_TRUE(std::isnan(values[20]));
  EXPECT_EQ(values[39], infinity);
}

}  // namespace
}  // namespace genoserve
