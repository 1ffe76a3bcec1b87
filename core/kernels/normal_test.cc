#include "core/kernels/normal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/crc32c.h"
#include "core/base/philox.h"

namespace genoserve {
namespace {

const PhiloxStream kStream(31, 0, 0, Purpose::kLatent);

double RelativeError(uint32_t number) {
  const double wanted = ToNormal(number);
  return std::fabs(static_cast<double>(NormalOf(number)) / wanted - 1);
}

TEST(NormalTest, RandomNumbersAreNearTheQuantile) {
  double worst = 0;
  for (uint32_t i = 0; i < 3000000; ++i) worst = std::max(worst, RelativeError(kStream.Bits(i)));
  EXPECT_LT(worst, 1e-6);
}

// Ends, middle and the seams of the octaves on both sides.
TEST(NormalTest, ExtremeNumbersToo) {
  double worst = 0;
  for (int bit = 0; bit < 32; ++bit) {
    for (uint32_t step = 0; step < 5000; ++step) {
      const uint32_t number = (uint32_t{1} << bit) + step - 2500;
      worst = std::max({worst, RelativeError(number), RelativeError(~number)});
    }
  }
  EXPECT_LT(worst, 1e-6);
  EXPECT_NEAR(NormalOf(0), -6.336, 1e-2);
  EXPECT_GT(NormalOf(0x80000000U), 0.0F);
  EXPECT_EQ(NormalOf(0x80000000U), -NormalOf(0x7FFFFFFFU));
}

// The share of values below each of many bounds, and the moments, are those of the normal distribution.
TEST(NormalTest, ValuesAreDistributedNormally) {
  constexpr uint32_t kCount = 1 << 20;
  std::vector<double> values(kCount);
  std::vector<double> moments(4);
  for (uint32_t i = 0; i < kCount; ++i) {
    const double value = NormalOf(kStream.Bits(i));
    values[i] = value;
    double power = 1;
    for (double& moment : moments) moment += (power *= value) / kCount;
  }
  const double deviation = 1 / std::sqrt(kCount);
  EXPECT_NEAR(moments[0], 0, 3.3 * deviation);
  EXPECT_NEAR(moments[1], 1, 3.3 * deviation * std::sqrt(2));
  EXPECT_NEAR(moments[2], 0, 3.3 * deviation * std::sqrt(15));
  EXPECT_NEAR(moments[3], 3, 3.3 * deviation * std::sqrt(96));
  std::sort(values.begin(), values.end());
  double farthest = 0;
  for (uint32_t i = 0; i < kCount; ++i) {
    farthest = std::max(farthest, std::fabs(0.5 * std::erfc(-values[i] / std::sqrt(2)) - (i + 0.5) / kCount));
  }
  // Kolmogorov and Smirnov's bound that one sample in a thousand exceeds.
  EXPECT_LT(farthest, 1.95 * deviation);
}

// The bits are those that every machine gives.
TEST(NormalTest, BitsAreTheSameOnEveryMachine) {
  std::vector<float> values;
  for (uint32_t i = 0; i < 10000; ++i) {
    const uint32_t number = kStream.Bits(i);
    values.push_back(NormalOf(number));
    values.push_back(NormalOf(number >> (i % 32)));
  }
  EXPECT_EQ(Crc32c({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)}), 3857170272U);
}

}  // namespace
}  // namespace genoserve
