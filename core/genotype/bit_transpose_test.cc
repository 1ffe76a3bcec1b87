#include "core/genotype/bit_transpose.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/philox.h"
#include "core/genotype/genotype_matrix.h"

namespace genoserve {
namespace {

class TransposeTest : public testing::TestWithParam<Packing> {};

// The plain definition: code (r, c) becomes code (c, r).
TEST_P(TransposeTest, PutsEveryCodeInItsPlaceAtEverySize) {
  const Packing packing = GetParam();
  const size_t bits = BitsPerGenotype(packing);
  for (const size_t rows : {2, 4, 30, 32, 34, 62, 64, 66, 130}) {
    for (const size_t columns : {2, 6, 32, 34, 64, 126, 128, 130}) {
      GenotypeMatrix from(packing, rows, columns);
      const PhiloxStream stream(rows, columns, 0, Purpose::kAllele);
      for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < columns; ++c) {
          from.Set(r, c, static_cast<int>(stream.Bits(static_cast<uint32_t>(r * columns + c)) % (1U << bits)));
        }
      }
      GenotypeMatrix to(packing, columns, rows);
      TransposeCodes(bits, from.bytes(), rows, columns, from.row_bytes(), to.mutable_bytes(), to.row_bytes());
      EXPECT_TRUE(to.PaddingIsZero());
      for (size_t r = 0; r < rows; ++r) {
        for (size_t c = 0; c < columns; ++c) ASSERT_EQ(to.Get(c, r), from.Get(r, c)) << rows << "x" << columns;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, TransposeTest, testing::Values(Packing::kDiploid2Bit, Packing::kHaplotype1Bit));

TEST(TransposeTest, LeavesBytesBeyondARowAlone) {
  const std::vector<uint8_t> from = {0b01, 0b10};  // two rows of two bits
  std::vector<uint8_t> to(6, 0xEE);
  TransposeCodes(1, from, 2, 2, 1, to, 3);
  EXPECT_EQ(to, (std::vector<uint8_t>{0b01, 0xEE, 0xEE, 0b10, 0xEE, 0xEE}));
}

}  // namespace
}  // namespace genoserve
