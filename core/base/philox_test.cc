#include "core/base/philox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace genoserve {
namespace {

using ::testing::ElementsAre;

// Known answers published with the algorithm (Random123, kat_vectors, philox4x32 10).
TEST(PhiloxTest, KnownAnswers) {
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(PhiloxTest, BitsFillAndBlockAgree) {
  const PhiloxStream stream(7, 123456789012, 1, Purpose::kAllele);
  std::vector<uint32_t> filled(11);
  stream.FillBits(8, filled);
  for (uint32_t i = 0; i < filled.size(); ++i) EXPECT_EQ(filled[i], stream.Bits(8 + i)) << i;
}

// Golden values: a cohort that was drawn once must be drawn again by every later version.
TEST(PhiloxTest, StreamLayoutIsFixed) {
  EXPECT_EQ(PhiloxStream(7, 42, 1, Purpose::kAllele).Block(3), Philox4x32({3, 42, 0, 0x101}, {7, 0}));
  EXPECT_EQ(PhiloxStream(uint64_t{5} << 32, uint64_t{9} << 32, 0, Purpose::kTraining).Block(0),
            Philox4x32({0, 0, 9, 0x400}, {0, 5}));
}

TEST(PhiloxTest, StreamsDifferBySampleHaplotypePurposeAndSeed) {
  const uint32_t base = PhiloxStream(1, 2, 0, Purpose::kLatent).Bits(0);
  EXPECT_NE(base, PhiloxStream(1, 3, 0, Purpose::kLatent).Bits(0));
  EXPECT_NE(base, PhiloxStream(1, 2, 1, Purpose::kLatent).Bits(0));
  EXPECT_NE(base, PhiloxStream(1, 2, 0, Purpose::kAllele).Bits(0));
  EXPECT_NE(base, PhiloxStream(2, 2, 0, Purpose::kLatent).Bits(0));
}

TEST(NormalQuantileTest, MatchesTables) {
  EXPECT_DOUBLE_EQ(NormalQuantile(0.5), 0.0);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.25), -0.6744897501960817, 1e-14);
  EXPECT_NEAR(NormalQuantile(0.001), -3.090232306167813, 1e-13);
  EXPECT_NEAR(NormalQuantile(1e-20), -9.262340089798408, 1e-12);
}

TEST(NormalQuantileTest, EndsOfTheBitsAreFiniteAndOpposite) {
  EXPECT_NEAR(ToNormal(0), -6.336, 1e-2);
  EXPECT_DOUBLE_EQ(ToNormal(0), -ToNormal(0xffffffff));
}

TEST(PhiloxTest, NormalsHaveTheMomentsOfTheNormal) {
  double sum = 0;
  double squares = 0;
  double fourths = 0;
  constexpr int kSamples = 1000;
  constexpr size_t kDraws = 101;  // not a multiple of 4
  std::vector<float> z(kDraws);
  for (int i = 0; i < kSamples; ++i) {
    PhiloxStream(3, static_cast<uint64_t>(i), 0, Purpose::kLatent).FillNormal(z);
    for (const double x : z) {
      sum += x;
      squares += x * x;
      fourths += x * x * x * x;
    }
  }
  const double n = kSamples * static_cast<double>(kDraws);
  EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(fourths / n, 3, 4 * std::sqrt(96 / n));
}

}  // namespace
}  // namespace genoserve
