#include "core/gpu/device_draw.h"

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/kernels/draw.h"

namespace genoserve {
namespace {

struct Row {
  uint64_t seed;
  uint64_t sample;
  int haplotype;
};

// The largest of each, and words whose highest bits are set.
const std::vector<Row> kRows = {{0, 0, 0},
                                {1, 2, 1},
                                {0xFFFFFFFFFFFFFFFFULL, (uint64_t{1} << 48) - 1, 1},
                                {0x8000000080000000ULL, 0x800080000000ULL, 0},
                                {0xFEDCBA9876543210ULL, 1234567, 0}};

at::Tensor Keys() {
  at::Tensor keys = at::empty({3, static_cast<int64_t>(kRows.size())}, at::kLong);
  auto* to = keys.mutable_data_ptr<int64_t>();
  for (size_t i = 0; i < kRows.size(); ++i) {
    to[i] = static_cast<int64_t>(kRows[i].seed);
    to[kRows.size() + i] = static_cast<int64_t>(kRows[i].sample);
    to[2 * kRows.size() + i] = kRows[i].haplotype;
  }
  return keys;
}

PhiloxStream StreamOf(size_t row, Purpose purpose) {
  return {kRows[row].seed, kRows[row].sample, kRows[row].haplotype, purpose};
}

template <class T>
at::Tensor Rows(const std::vector<std::vector<T>>& rows, at::ScalarType type) {
  const size_t size = rows[0].size();
  at::Tensor tensor = at::empty({static_cast<int64_t>(rows.size()), static_cast<int64_t>(size)}, type);
  for (size_t i = 0; i < rows.size(); ++i) std::ranges::copy(rows[i], tensor.mutable_data_ptr<T>() + i * size);
  return tensor;
}

TEST(DeviceDrawTest, BitsAreThoseOfPhiloxStream) {
  const DeviceDraw draw(at::kCPU);
  const at::Tensor columns =
      draw.Columns({{Purpose::kLatent, 0, 5}, {Purpose::kAllele, 2048, 7}, {Purpose::kTraining, 0x3FFFFFFF, 1}});
  const at::Tensor bits = draw.Bits(Keys(), columns);
  ASSERT_EQ(bits.sizes(), (std::vector<int64_t>{static_cast<int64_t>(kRows.size()), 13, 4}));
  const auto* value = bits.const_data_ptr<int64_t>();
  for (size_t row = 0; row < kRows.size(); ++row) {
    const auto expect = [&](Purpose purpose, uint32_t first, uint32_t count) {
      for (uint32_t i = 0; i < count; ++i)
        ASSERT_EQ(*value++, StreamOf(row, purpose).Bits(first + i)) << row << " " << i;
    };
    expect(Purpose::kLatent, 0, 20);
    expect(Purpose::kAllele, 4 * 2048, 28);
    expect(Purpose::kTraining, 4 * 0x3FFFFFFFU, 4);
  }
}

// In fp64 the last bits of the logarithm may be the device's own, which fp32 seldom shows.
TEST(DeviceDrawTest, NormalValuesAreThoseOfPhiloxStream) {
  constexpr size_t kValues = 20000;
  const DeviceDraw draw(at::kCPU);
  const at::Tensor bits = draw.Bits(Keys(), draw.Columns({{Purpose::kLatent, 0, kValues / 4}}));
  const at::Tensor normal = draw.Normal(bits.flatten(1));
  size_t differing = 0;
  for (size_t row = 0; row < kRows.size(); ++row) {
    std::vector<float> wanted(kValues);
    StreamOf(row, Purpose::kLatent).FillNormal(wanted);
    for (size_t i = 0; i < kValues; ++i) {
      const float value = normal.const_data_ptr<float>()[row * kValues + i];
      if (value == wanted[i]) continue;
      ++differing;
      ASSERT_NEAR(value, wanted[i], 1.5e-7 * std::fabs(wanted[i]));
    }
  }
  EXPECT_LE(differing, 5U);
  // The numbers next to 0 and 1, and around the seams of the formula.
  for (const uint32_t number : {0U, 1U, 0xFFFFFFFFU, 0x7FFFFFFFU, 0x80000000U, 0x13333333U, 0x13333334U, 0xECCCCCCCU}) {
    const at::Tensor one = Rows<int64_t>({{number}}, at::kLong);
    EXPECT_FLOAT_EQ(draw.Normal(one).const_data_ptr<float>()[0], static_cast<float>(ToNormal(number))) << number;
  }
}

class DrawnCodes : public testing::TestWithParam<size_t> {
 protected:
  static constexpr size_t kFirst = 512;

  DrawnCodes() : bits_(draw_.Bits(Keys(), draw_.Columns({{Purpose::kAllele, kFirst / 4, Blocks()}})).flatten(1)) {}

  static int64_t Blocks() { return static_cast<int64_t>(GetParam() + 3) / 4; }
  at::Tensor Numbers() const { return bits_.narrow(1, 0, static_cast<int64_t>(GetParam())); }

  // Random outputs, some of them extreme.
  static std::vector<std::vector<float>> Outputs(uint64_t seed) {
    std::vector<std::vector<float>> rows(kRows.size(), std::vector<float>(GetParam()));
    for (size_t row = 0; row < rows.size(); ++row) {
      PhiloxStream(seed, row, 0, Purpose::kQuality).FillNormal(rows[row]);
      for (size_t i = 0; i < rows[row].size(); i += 5) rows[row][i] *= 40;
      if (GetParam() > 7) rows[row][7] = std::numeric_limits<float>::max();
    }
    return rows;
  }

  // The share of codes that are not those of the CPU's kernel; the padding must be equal.
  double Differing(Packing packing, const at::Tensor& packed, const std::vector<std::vector<uint8_t>>& wanted) const {
    const size_t bytes = RowBytes(packing, GetParam());
    EXPECT_EQ(packed.sizes(), (std::vector<int64_t>{static_cast<int64_t>(kRows.size()), static_cast<int64_t>(bytes)}));
    const size_t in_byte = packing == Packing::kDiploid2Bit ? 4 : 8;
    size_t differing = 0;
    for (size_t row = 0; row < kRows.size(); ++row) {
      const auto* from = packed.const_data_ptr<uint8_t>() + row * bytes;
      std::vector<uint8_t> codes(bytes * in_byte);
      std::vector<uint8_t> wanted_codes(bytes * in_byte);
      UnpackCodes(packing, std::span(from, bytes), codes);
      UnpackCodes(packing, wanted[row], wanted_codes);
      for (size_t i = 0; i < codes.size(); ++i) differing += codes[i] != wanted_codes[i] ? 1 : 0;
      for (size_t i = GetParam(); i < codes.size(); ++i) EXPECT_EQ(codes[i], 0);
    }
    return static_cast<double>(differing) / static_cast<double>(kRows.size() * GetParam());
  }

  const DeviceDraw draw_{at::kCPU};
  const at::Tensor bits_;
};

// One in a million lies within a rounding of a limit.
TEST_P(DrawnCodes, AllelesAreThoseOfTheKernel) {
  const auto logits = Outputs(1);
  std::vector<std::vector<uint8_t>> drawn(kRows.size(),
                                          std::vector<uint8_t>(RowBytes(Packing::kHaplotype1Bit, GetParam())));
  auto cut = drawn;
  for (size_t row = 0; row < kRows.size(); ++row) {
    DrawAndPackAlleles(logits[row], {}, StreamOf(row, Purpose::kAllele), kFirst, drawn[row].data());
    ThresholdAndPackAlleles(logits[row], {}, cut[row].data());
  }
  const at::Tensor x = Rows(logits, at::kFloat);
  EXPECT_LT(Differing(Packing::kHaplotype1Bit, draw_.Pack(draw_.Alleles(x, Numbers()), 1), drawn), 3e-5);
  EXPECT_EQ(Differing(Packing::kHaplotype1Bit, draw_.Pack(draw_.ThresholdAlleles(x), 1), cut), 0.0);
}

TEST_P(DrawnCodes, GenotypesAreThoseOfTheKernel) {
  const std::vector<std::vector<std::vector<float>>> states = {Outputs(1), Outputs(2), Outputs(3)};
  std::vector<std::vector<uint8_t>> wanted(kRows.size(),
                                           std::vector<uint8_t>(RowBytes(Packing::kDiploid2Bit, GetParam())));
  std::vector<std::vector<float>> planar(kRows.size());
  for (size_t row = 0; row < kRows.size(); ++row) {
    DrawAndPackGenotypes(states[0][row], states[1][row], states[2][row], StreamOf(row, Purpose::kAllele), kFirst,
                         wanted[row].data());
    for (const auto& state : states) planar[row].insert(planar[row].end(), state[row].begin(), state[row].end());
  }
  const at::Tensor x = Rows(planar, at::kFloat).view({static_cast<int64_t>(kRows.size()), 3, -1});
  const at::Tensor packed = draw_.Pack(draw_.Genotypes(x, Numbers()), 2);
  EXPECT_LT(Differing(Packing::kDiploid2Bit, packed, wanted), 3e-5);
}

INSTANTIATE_TEST_SUITE_P(Sizes, DrawnCodes, testing::Values(1, 8, 1003, 40000));

}  // namespace
}  // namespace genoserve
