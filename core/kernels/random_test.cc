#include "core/kernels/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/normal.h"
#include "core/kernels/test_targets.h"

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
      OnEachTarget([&] {
        std::vector<uint32_t> bits(count + 1, 7);
        FillBits(kStream, first, {bits.data(), count});
        for (size_t i = 0; i < count; ++i) {
          ASSERT_EQ(bits[i], kStream.Bits(static_cast<uint32_t>(first + i))) << first << " + " << i << " of " << count;
        }
        EXPECT_EQ(bits[count], 7U);
      });
    }
  }
}

TEST(RandomTest, TransformsOfTheSameNumbers) {
  constexpr uint64_t kFirst = 5;
  constexpr size_t kCount = 30011;
  std::vector<float> uniform(kCount);
  std::vector<float> gumbel(kCount);
  std::vector<float> logistic(kCount);
  FillUniform(kStream, kFirst, uniform);
  FillGumbel(kStream, kFirst, gumbel);
  FillLogistic(kStream, kFirst, logistic);
  for (size_t i = 0; i < kCount; ++i) {
    const double u = UniformOf(kFirst + i);
    ASSERT_EQ(uniform[i], static_cast<float>(u));
    const double wanted_gumbel = -std::log(-std::log(u));
    ASSERT_NEAR(gumbel[i], wanted_gumbel, 3e-6 * (1 + std::fabs(wanted_gumbel) + std::exp(wanted_gumbel) * 0x1p-22));
    ASSERT_NEAR(logistic[i], std::log(u / (1 - u)), 3e-6 * (1 + std::fabs(std::log(u / (1 - u)))));
  }
}

TEST(RandomTest, NormalValuesAreThoseOfEachNumberToTheBit) {
  for (const uint64_t first : {0ULL, 5ULL, 4294960001ULL}) {
    for (const size_t count : {0UL, 1UL, 3UL, 15UL, 16UL, 100UL, 800UL, 2047UL, 2050UL, 7000UL}) {
      if (first + count > uint64_t{1} << 32) continue;
      std::vector<float> wanted(count + 1, 9.0F);
      for (size_t i = 0; i < count; ++i) wanted[i] = NormalOf(kStream.Bits(static_cast<uint32_t>(first + i)));
      OnEachTarget([&] {
        std::vector<float> normal(count + 1, 9.0F);
        FillNormal(kStream, first, {normal.data(), count});
        EXPECT_EQ(normal, wanted) << first << ", " << count;
      });
    }
  }
}

// A million numbers, of which some 64 are far from the middle.
TEST(RandomTest, NormalTails) {
  constexpr size_t kCount = 1 << 20;
  std::vector<float> wanted(kCount);
  for (size_t i = 0; i < kCount; ++i) wanted[i] = NormalOf(kStream.Bits(static_cast<uint32_t>(i)));
  const auto [lowest, highest] = std::minmax_element(wanted.begin(), wanted.end());
  EXPECT_LT(*lowest, -4.5F);
  EXPECT_GT(*highest, 4.5F);
  OnEachTarget([&] {
    std::vector<float> normal(kCount);
    FillNormal(kStream, 0, normal);
    EXPECT_TRUE(normal == wanted);
  });
}

}  // namespace
}  // namespace genoserve
