#include "core/genotype/genotype_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/philox.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;

GenotypeMatrix RandomMatrix(Packing packing, size_t rows, size_t variants) {
  GenotypeMatrix matrix(packing, rows, variants);
  for (size_t row = 0; row < rows; ++row) {
    const PhiloxStream stream(1, row, 0, Purpose::kAllele);
    for (uint32_t i = 0; i < variants; ++i) {
      matrix.Set(row, i, static_cast<int>(stream.Bits(i) % (1U << BitsPerGenotype(packing))));
    }
  }
  return matrix;
}

TEST(GenotypeMatrixTest, BytesAreAsTheContractSays) {
  GenotypeMatrix diploid(Packing::kDiploid2Bit, 1, 5);
  diploid.PackRow(0, std::vector<uint8_t>{0, 1, 2, 3, 2});
  EXPECT_THAT(diploid.bytes(), ElementsAre(0b11100100, 0b00000010));
  GenotypeMatrix haplotypes(Packing::kHaplotype1Bit, 2, 9);
  haplotypes.PackRow(0, std::vector<uint8_t>{1, 0, 0, 0, 0, 0, 0, 1, 1});
  EXPECT_THAT(haplotypes.bytes(), ElementsAre(0b10000001, 0b00000001, 0, 0));
  EXPECT_EQ(haplotypes.samples(), 1u);
}

class PackingTest : public testing::TestWithParam<Packing> {};

TEST_P(PackingTest, GetSetPackAndUnpackAgreeAtEveryWidth) {
  for (size_t variants = 1; variants < 20; ++variants) {
    const GenotypeMatrix matrix = RandomMatrix(GetParam(), 4, variants);
    EXPECT_TRUE(matrix.PaddingIsZero());
    GenotypeMatrix copy(GetParam(), 4, variants);
    std::vector<uint8_t> codes(variants);
    std::vector<float> floats(variants);
    for (size_t row = 0; row < 4; ++row) {
      matrix.UnpackRow(row, codes);
      UnpackFloats(GetParam(), matrix.Row(row), floats);
      for (size_t i = 0; i < variants; ++i) {
        EXPECT_EQ(codes[i], matrix.Get(row, i));
        EXPECT_EQ(floats[i], static_cast<float>(codes[i]));
      }
      copy.PackRow(row, codes);
    }
    EXPECT_EQ(copy, matrix) << variants;
  }
}

TEST_P(PackingTest, ResizingKeepsMemoryAndWhatFits) {
  const GenotypeMatrix whole = RandomMatrix(GetParam(), 8, 13);
  GenotypeMatrix matrix = whole;
  const uint8_t* const memory = matrix.bytes().data();
  matrix.Resize(GetParam(), 2, 13);
  const std::vector<size_t> kept = RowsPerSample(GetParam()) == 2 ? std::vector<size_t>{0} : std::vector<size_t>{0, 1};
  EXPECT_EQ(matrix, whole.SelectSamples(kept));
  matrix.Resize(GetParam(), 8, 13);
  EXPECT_EQ(matrix.samples(), whole.samples());
  EXPECT_TRUE(std::ranges::equal(matrix.Row(1), whole.Row(1)));
  // Rows of another width start anew, their padding too.
  matrix.Resize(GetParam(), 4, 11);
  EXPECT_EQ(matrix, GenotypeMatrix(GetParam(), 4, 11));
  EXPECT_EQ(matrix.bytes().data(), memory);
}

TEST_P(PackingTest, SelectsSamplesAndVariants) {
  const GenotypeMatrix matrix = RandomMatrix(GetParam(), 8, 13);
  const size_t per_sample = RowsPerSample(GetParam());
  const std::vector<size_t> samples = {3, 0};
  const std::vector<size_t> variants = {12, 5, 6};
  const GenotypeMatrix some = matrix.SelectSamples(samples).SelectVariants(variants);
  ASSERT_EQ(some.samples(), 2u);
  for (size_t s = 0; s < 2; ++s) {
    for (size_t h = 0; h < per_sample; ++h) {
      for (size_t v = 0; v < 3; ++v) {
        EXPECT_EQ(some.Get(s * per_sample + h, v), matrix.Get(samples[s] * per_sample + h, variants[v]));
      }
    }
  }
}

TEST_P(PackingTest, KeepsSamplesInPlace) {
  const GenotypeMatrix matrix = RandomMatrix(GetParam(), 12, 13);
  for (const std::vector<size_t>& samples : {std::vector<size_t>{0, 2, 5}, {1, 2}, {}}) {
    GenotypeMatrix kept = matrix;
    kept.KeepSamples(samples);
    EXPECT_EQ(kept, matrix.SelectSamples(samples));
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, PackingTest, testing::Values(Packing::kDiploid2Bit, Packing::kHaplotype1Bit));

TEST(GenotypeMatrixTest, DirtyPaddingIsSeen) {
  GenotypeMatrix matrix(Packing::kDiploid2Bit, 2, 3);
  matrix.MutableRow(1)[0] = 0b11000000;
  EXPECT_FALSE(matrix.PaddingIsZero());
}

TEST(GenotypeMatrixTest, DiploidGenotypesAreSumsOfHaplotypes) {
  for (size_t variants = 1; variants < 40; ++variants) {
    const GenotypeMatrix haplotypes = RandomMatrix(Packing::kHaplotype1Bit, 6, variants);
    const GenotypeMatrix diploid = haplotypes.ToDiploid();
    ASSERT_EQ(diploid.samples(), 3u);
    EXPECT_TRUE(diploid.PaddingIsZero());
    for (size_t s = 0; s < 3; ++s) {
      for (size_t v = 0; v < variants; ++v) {
        EXPECT_EQ(diploid.Get(s, v), haplotypes.Get(2 * s, v) + haplotypes.Get(2 * s + 1, v));
      }
    }
    EXPECT_EQ(GenotypeMatrix(haplotypes).ToDiploid(), diploid) << "in its own memory";
  }
}

}  // namespace
}  // namespace genoserve
