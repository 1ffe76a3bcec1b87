#include "core/model/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/base/crc32c.h"
#include "core/base/philox.h"

namespace genoserve {
namespace {

std::vector<uint32_t> RandomBits(size_t size, uint64_t seed) {
  std::vector<uint32_t> bits(size);
  PhiloxStream(seed, 0, 0, Purpose::kAllele).FillBits(0, bits);
  return bits;
}

uint32_t Checksum(const std::vector<uint8_t>& codes) {
  return Crc32c({reinterpret_cast<const char*>(codes.data()), codes.size()});
}

TEST(DrawTest, ExponentialIsRightEverywhere) {
  for (double x = -86.9; x < 87; x += 0.0137) {
    const auto argument = static_cast<float>(x);
    EXPECT_NEAR(StableExp(argument) / std::exp(static_cast<double>(argument)), 1.0, 3e-7) << x;
  }
  EXPECT_EQ(StableExp(0.0F), 1.0F);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(StableExp(infinity), StableExp(87.0F));
  EXPECT_EQ(StableExp(-infinity), StableExp(-87.0F));
  EXPECT_EQ(StableExp(std::numeric_limits<float>::quiet_NaN()), StableExp(-87.0F));
}

TEST(DrawTest, AllelesComeWithTheProbabilityOfTheirLogit) {
  constexpr size_t kDraws = 400000;
  const std::vector<uint32_t> bits = RandomBits(kDraws, 3);
  const std::vector<float> offsets(kDraws, 0.5F);
  std::vector<uint8_t> codes(kDraws);
  for (const float logit : {-6.0F, -1.5F, 0.0F, 0.7F, 4.0F}) {
    DrawAlleles(std::vector<float>(kDraws, logit), offsets, bits, codes);
    double count = 0;
    for (const uint8_t code : codes) count += code;
    const double wanted = 1 / (1 + std::exp(-(static_cast<double>(logit) + 0.5)));
    EXPECT_NEAR(count / kDraws, wanted, 4.5 * std::sqrt(wanted * (1 - wanted) / kDraws)) << logit;
  }
}

TEST(DrawTest, GenotypesComeWithTheProbabilitiesOfTheirLogits) {
  constexpr size_t kDraws = 400000;
  const std::vector<uint32_t> bits = RandomBits(kDraws, 4);
  std::vector<uint8_t> codes(kDraws);
  for (const std::vector<double>& logits : {std::vector<double>{0, 0, 0}, {2, -1, 0.5}, {-40, 3, 3.5}, {0, 5, -300}}) {
    DrawGenotypes(std::vector<float>(kDraws, static_cast<float>(logits[0])),
                  std::vector<float>(kDraws, static_cast<float>(logits[1])),
                  std::vector<float>(kDraws, static_cast<float>(logits[2])), bits, codes);
    std::vector<double> counts(3);
    for (const uint8_t code : codes) ++counts.at(code);
    const double sum = std::exp(logits[0]) + std::exp(logits[1]) + std::exp(logits[2]);
    for (size_t state = 0; state < 3; ++state) {
      const double wanted = std::exp(logits[state]) / sum;
      EXPECT_NEAR(counts[state] / kDraws, wanted, 4.5 * std::sqrt(wanted * (1 - wanted) / kDraws) + 1e-6);
    }
  }
}

TEST(DrawTest, ThresholdIsAHalfOfTheTanh) {
  const std::vector<float> logits = {-3.0F, 0.0F, 0.5493F, 0.5494F, 0.3F, 9.0F};
  const std::vector<float> offsets = {0, 0, 0, 0, 0.3F, 0};
  std::vector<uint8_t> codes(logits.size());
  ThresholdAlleles(logits, offsets, codes);
  EXPECT_EQ(codes, (std::vector<uint8_t>{0, 0, 0, 1, 1, 1}));
}

// The whole and its parts agree, whatever the vector width, and with what other machines gave.
TEST(DrawTest, BytesDependOnTheElementAlone) {
  constexpr size_t kSize = 1001;
  const std::vector<uint32_t> bits = RandomBits(kSize, 5);
  std::vector<float> logits(3 * kSize);
  PhiloxStream(6, 0, 0, Purpose::kLatent).FillNormal(logits);
  const std::span<const float> first(logits.data(), kSize);
  const std::span<const float> second(logits.data() + kSize, kSize);
  const std::span<const float> third(logits.data() + 2 * kSize, kSize);
  std::vector<uint8_t> alleles(kSize);
  std::vector<uint8_t> genotypes(kSize);
  DrawAlleles(first, second, bits, alleles);
  DrawGenotypes(first, second, third, bits, genotypes);
  for (size_t i = 0; i < kSize; ++i) {
    uint8_t allele = 9;
    uint8_t genotype = 9;
    DrawAlleles(first.subspan(i, 1), second.subspan(i, 1), {&bits[i], 1}, {&allele, 1});
    DrawGenotypes(first.subspan(i, 1), second.subspan(i, 1), third.subspan(i, 1), {&bits[i], 1}, {&genotype, 1});
    EXPECT_EQ(allele, alleles[i]) << i;
    EXPECT_EQ(genotype, genotypes[i]) << i;
  }
  EXPECT_EQ(Checksum(alleles), 1509681699U);
  EXPECT_EQ(Checksum(genotypes), 844124782U);
}

}  // namespace
}  // namespace genoserve
