#include "core/kernels/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace genoserve {
namespace {

const PhiloxStream kStream(0x123456789ABCDEF0, 0xABCDEF012345, 3, Purpose::kTraining);

float UniformOf(uint64_t index) {
  return (static_cast<float>(kStream.Bits(static_cast<uint32_t>(index)) >> 9) + 0.5F) * 0x1p-23F;
}

TEST(RandomTest, BitsAreThoseOfTheStreamFromAnyPlaceOn) {
  for (const uint64_t first : {0ULL, 1ULL, 2ULL, 3ULL, 4097ULL, 4294960001ULL}) {
    for (const size_t count : {0UL, 1UL, 3UL, 31UL, 64UL, 2047UL, 2050UL, 7000UL}) {
      if (first + count > uint64_t{1} << 32) continue;
      std::vector<uint32_t> bits(count + 1, 7);
      FillBits(kStream, first, {bits.data(), count});
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(bits[i], kStream.Bits(static_cast<uint32_t>(first + i))) << first << " + " << i << " of " << count;
      }
      EXPECT_EQ(bits[count], 7U);
    }
  }
}

TEST(RandomTest, TransformsOfTheSameNumbers) {
  constexpr uint64_t kFirst = 5;
  constexpr size_t kCount = 30011;
  std::vector<float> uniform(kCount);
  std::vector<float> gumbel(kCount);
  std::vector<float> logistic(kCount);
  std::vector<float> normal(kCount);
  FillUniform(kStream, kFirst, uniform);
  FillGumbel(kStream, kFirst, gumbel);
  FillLogistic(kStream, kFirst, logistic);
  FillNormal(kStream, kFirst, normal);
  for (size_t i = 0; i < kCount; ++i) {
    const double u = UniformOf(kFirst + i);
    ASSERT_EQ(uniform[i], static_cast<float>(u));
    const double wanted_gumbel = -std::log(-std::log(u));
    ASSERT_NEAR(gumbel[i], wanted_gumbel, 3e-6 * (1 + std::fabs(wanted_gumbel) + std::exp(wanted_gumbel) * 0x1p-22));
    ASSERT_NEAR(logistic[i], std::log(u / (1 - u)), 3e-6 * (1 + std::fabs(std::log(u / (1 - u)))));
    const double wanted = ToNormal(kStream.Bits(static_cast<uint32_t>(kFirst + i)));
    ASSERT_NEAR(normal[i], wanted, 2e-6 * (1 + std::fabs(wanted)));
  }
}

// 16 million numbers reach the parts of the normal quantile that are rarely used.
TEST(RandomTest, NormalTails) {
  std::vector<float> normal(1 << 20);
  double lowest = 0;
  double highest = 0;
  for (uint64_t first = 0; first < uint64_t{1} << 24; first += normal.size()) {
    FillNormal(kStream, first, normal);
    for (const auto extreme :
         {std::min_element(normal.begin(), normal.end()), std::max_element(normal.begin(), normal.end())}) {
      const double wanted =
          ToNormal(kStream.Bits(static_cast<uint32_t>(first + static_cast<size_t>(extreme - normal.begin()))));
      EXPECT_NEAR(*extreme, wanted, 1e-5);
      lowest = std::min(lowest, wanted);
      highest = std::max(highest, wanted);
    }
  }
  EXPECT_LT(lowest, -4.8);
  EXPECT_GT(highest, 4.8);
}

}  // namespace
}  // namespace genoserve
