#include "core/kernels/draw.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/crc32c.h"
#include "core/genotype/genotype_matrix.h"
#include "core/kernels/test_targets.h"

namespace genoserve {
namespace {

const PhiloxStream kDraws(5, 0, 0, Purpose::kAllele);

std::vector<float> Normals(size_t size) {
  std::vector<float> values(size);
  PhiloxStream(6, 0, 0, Purpose::kLatent).FillNormal(values);
  return values;
}

std::vector<uint8_t> Codes(Packing packing, const std::vector<uint8_t>& row, size_t size) {
  std::vector<uint8_t> codes(size);
  UnpackCodes(packing, row, codes);
  return codes;
}

std::vector<uint8_t> DrawnAlleles(std::span<const float> logits, std::span<const float> offsets,
                                  const PhiloxStream& stream = kDraws, uint64_t first = 0) {
  std::vector<uint8_t> row(RowBytes(Packing::kHaplotype1Bit, logits.size()), 0xFF);
  DrawAndPackAlleles(logits, offsets, stream, first, row.data());
  return row;
}

std::vector<uint8_t> DrawnGenotypes(std::span<const float> logits0, std::span<const float> logits1,
                                    std::span<const float> logits2, const PhiloxStream& stream = kDraws,
                                    uint64_t first = 0) {
  std::vector<uint8_t> row(RowBytes(Packing::kDiploid2Bit, logits0.size()), 0xFF);
  DrawAndPackGenotypes(logits0, logits1, logits2, stream, first, row.data());
  return row;
}

uint32_t Checksum(const std::vector<uint8_t>& bytes) {
  return Crc32c({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

TEST(DrawTest, AllelesComeWithTheProbabilityOfTheirLogit) {
  constexpr size_t kCount = 400000;
  const std::vector<float> offsets(kCount, 0.5F);
  for (const float logit : {-6.0F, -1.5F, 0.0F, 0.7F, 4.0F}) {
    double count = 0;
    const std::vector<uint8_t> row = DrawnAlleles(std::vector<float>(kCount, logit), offsets);
    for (const uint8_t code : Codes(Packing::kHaplotype1Bit, row, kCount)) count += code;
    const double wanted = 1 / (1 + std::exp(-(static_cast<double>(logit) + 0.5)));
    EXPECT_NEAR(count / kCount, wanted, 4.5 * std::sqrt(wanted * (1 - wanted) / kCount)) << logit;
  }
}

TEST(DrawTest, GenotypesComeWithTheProbabilitiesOfTheirLogits) {
  constexpr size_t kCount = 400000;
  for (const std::vector<double>& logits : {std::vector<double>{0, 0, 0}, {2, -1, 0.5}, {-40, 3, 3.5}, {0, 5, -300}}) {
    const std::vector<uint8_t> row = DrawnGenotypes(std::vector<float>(kCount, static_cast<float>(logits[0])),
                                                    std::vector<float>(kCount, static_cast<float>(logits[1])),
                                                    std::vector<float>(kCount, static_cast<float>(logits[2])));
    std::vector<double> counts(3);
    for (const uint8_t code : Codes(Packing::kDiploid2Bit, row, kCount)) ++counts.at(code);
    const double sum = std::exp(logits[0]) + std::exp(logits[1]) + std::exp(logits[2]);
    for (size_t state = 0; state < 3; ++state) {
      const double wanted = std::exp(logits[state]) / sum;
      EXPECT_NEAR(counts[state] / kCount, wanted, 4.5 * std::sqrt(wanted * (1 - wanted) / kCount) + 1e-6);
    }
  }
}

TEST(DrawTest, ThresholdIsAHalfOfTheTanh) {
  const std::vector<float> logits = {-3.0F, 0.0F, 0.5493F, 0.5494F, 0.3F, 9.0F, -1.0F, -1.0F, 1.0F};
  const std::vector<float> offsets = {0, 0, 0, 0, 0.3F, 0, 0, 0, -0.9F};
  std::vector<uint8_t> row(2, 0xFF);
  ThresholdAndPackAlleles(logits, offsets, row.data());
  EXPECT_EQ(row, (std::vector<uint8_t>{0b00111000, 0}));
  ThresholdAndPackAlleles(logits, {}, row.data());
  EXPECT_EQ(row, (std::vector<uint8_t>{0b00101000, 1}));
}

// The bytes are those that every machine gave before, with each instruction set.
TEST(DrawTest, BytesAreTheSameOnEveryMachine) {
  constexpr size_t kSize = 1001;
  const std::vector<float> logits = Normals(3 * kSize);
  const std::span<const float> first(logits.data(), kSize);
  const std::span<const float> second(logits.data() + kSize, kSize);
  const std::span<const float> third(logits.data() + 2 * kSize, kSize);
  OnEachTarget([&] {
    EXPECT_EQ(Checksum(Codes(Packing::kHaplotype1Bit, DrawnAlleles(first, second), kSize)), 1509681699U);
    EXPECT_EQ(Checksum(Codes(Packing::kDiploid2Bit, DrawnGenotypes(first, second, third), kSize)), 844124782U);
  });
}

// So do those of logits that are not finite, or so far apart that the smaller ones do not count.
TEST(DrawTest, IrregularLogitsToo) {
  constexpr size_t kSize = 1001;
  std::vector<float> logits = Normals(3 * kSize);
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < logits.size(); i += 3) logits[i] *= 60;
  for (size_t i = 0; i < logits.size(); i += 7) logits[i] = std::numeric_limits<float>::quiet_NaN();
  for (size_t i = 0; i < logits.size(); i += 11) logits[i] = infinity;
  for (size_t i = 0; i < logits.size(); i += 13) logits[i] = -infinity;
  for (size_t i = 0; i < logits.size(); i += 5) logits[i] = logits[(i + kSize) % logits.size()];
  const std::span<const float> first(logits.data(), kSize);
  const std::span<const float> second(logits.data() + kSize, kSize);
  const std::span<const float> third(logits.data() + 2 * kSize, kSize);
  OnEachTarget([&] {
    EXPECT_EQ(Checksum(Codes(Packing::kHaplotype1Bit, DrawnAlleles(first, second), kSize)), 4131781319U);
    EXPECT_EQ(Checksum(Codes(Packing::kDiploid2Bit, DrawnGenotypes(first, second, third), kSize)), 755392930U);
  });
}

// A part of a row that starts on a byte has the bytes of the whole row, and its padding is 0.
TEST(DrawTest, PartsHaveTheBytesOfTheWhole) {
  constexpr size_t kSize = 2003;
  const std::vector<float> logits = Normals(3 * kSize);
  const std::span<const float> first(logits.data(), kSize);
  const std::span<const float> second(logits.data() + kSize, kSize);
  const std::span<const float> third(logits.data() + 2 * kSize, kSize);
  const std::vector<uint8_t> alleles = Codes(Packing::kHaplotype1Bit, DrawnAlleles(first, second), kSize);
  const std::vector<uint8_t> genotypes = Codes(Packing::kDiploid2Bit, DrawnGenotypes(first, second, third), kSize);
  for (const size_t from : {0UL, 8UL, 512UL, 1000UL}) {
    for (const size_t size : {1UL, 5UL, 8UL, 16UL, 17UL, 511UL, 512UL, 700UL, 1003UL}) {
      const auto part = [&](std::span<const float> values) { return values.subspan(from, size); };
      std::vector<uint8_t> row = DrawnAlleles(part(first), part(second), kDraws, from);
      std::vector<uint8_t> codes(row.size() * 8);
      std::copy_n(alleles.begin() + static_cast<ptrdiff_t>(from), size, codes.begin());
      EXPECT_EQ(Codes(Packing::kHaplotype1Bit, row, row.size() * 8), codes) << from << " " << size;
      row = DrawnGenotypes(part(first), part(second), part(third), kDraws, from);
      codes.assign(row.size() * 4, 0);
      std::copy_n(genotypes.begin() + static_cast<ptrdiff_t>(from), size, codes.begin());
      EXPECT_EQ(Codes(Packing::kDiploid2Bit, row, row.size() * 4), codes) << from << " " << size;
    }
  }
}

TEST(DrawTest, NoOffsetsAreZeros) {
  constexpr size_t kSize = 777;
  const std::vector<float> logits = Normals(kSize);
  const std::vector<float> zeros(kSize);
  EXPECT_EQ(DrawnAlleles(logits, {}), DrawnAlleles(logits, zeros));
}

// Logits so large that e^x is out of range still give the certain answer.
TEST(DrawTest, ExtremeLogitsAreCertain) {
  constexpr size_t kSize = 64;
  const std::vector<float> high(kSize, std::numeric_limits<float>::max());
  const std::vector<float> low(kSize, std::numeric_limits<float>::lowest());
  OnEachTarget([&] {
    EXPECT_EQ(DrawnAlleles(high, {}), std::vector<uint8_t>(kSize / 8, 0xFF));
    EXPECT_EQ(DrawnAlleles(low, {}), std::vector<uint8_t>(kSize / 8, 0));
    EXPECT_EQ(DrawnGenotypes(low, high, low), std::vector<uint8_t>(kSize / 4, 0b01010101));
    EXPECT_EQ(DrawnGenotypes(low, low, high), std::vector<uint8_t>(kSize / 4, 0b10101010));
  });
}

}  // namespace
}  // namespace genoserve
