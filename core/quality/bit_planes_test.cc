#include "core/quality/bit_planes.h"

#include <gtest/gtest.h>

#include "core/base/philox.h"
#include "core/kernels/bits.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

GenotypeMatrix Random(Packing packing, size_t rows, size_t variants) {
  GenotypeMatrix genotypes(packing, rows, variants);
  for (size_t row = 0; row < rows; ++row) {
    const PhiloxStream stream(5, row, 0, Purpose::kQuality);
    for (size_t v = 0; v < variants; ++v) {
      genotypes.Set(row, v, static_cast<int>(stream.Bits(static_cast<uint32_t>(v)) % (BitsPerGenotype(packing) + 1)));
    }
  }
  return genotypes;
}

void ExpectSums(const GenotypeMatrix& genotypes) {
  const BitPlanes rows = BitPlanes::OfRows(genotypes);
  const BitPlanes variants = BitPlanes::OfVariants(genotypes);
  ASSERT_EQ(rows.vectors(), genotypes.rows());
  ASSERT_EQ(variants.vectors(), genotypes.variants());
  for (size_t r = 0; r < genotypes.rows(); ++r) {
    for (size_t v = 0; v < genotypes.variants(); ++v) {
      int by_row = 0;
      int by_variant = 0;
      for (size_t p = 0; p < rows.planes(); ++p) {
        by_row += static_cast<int>(rows.Plane(r, p)[v / 64] >> (v % 64) & 1);
        by_variant += static_cast<int>(variants.Plane(v, p)[r / 64] >> (r % 64) & 1);
      }
      ASSERT_EQ(by_row, genotypes.Get(r, v)) << r << " " << v;
      ASSERT_EQ(by_variant, genotypes.Get(r, v)) << r << " " << v;
    }
  }
}

TEST(BitPlanesTest, SumToTheAltCount) {
  ExpectSums(Random(Packing::kDiploid2Bit, 70, 133));
  ExpectSums(Random(Packing::kHaplotype1Bit, 70, 133));
}

TEST(BitPlanesTest, DistanceIsTheSumOfDifferences) {
  const BitPlanes planes = BitPlanes::OfRows(Diploid({{0, 1, 2, 0, 2}, {2, 1, 1, 1, 0}}));
  EXPECT_EQ(CountXor(planes.Vector(0), planes.Vector(1)), 6U);
  EXPECT_EQ(CountXor(planes.Vector(1), planes.Vector(1)), 0U);
}

}  // namespace
}  // namespace genoserve
