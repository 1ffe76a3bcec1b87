#include "server/cohort/row_encoder.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

#include "core/base/philox.h"
#include "core/model/generator.h"

namespace genoserve {
namespace {

constexpr size_t kVariants = 13;

// Two samples with every code, missing genotypes included.
GenotypeMatrix Tile(Packing packing) {
  GenotypeMatrix tile(packing, 2 * RowsPerSample(packing), kVariants);
  const int codes = packing == Packing::kHaplotype1Bit ? 2 : 4;
  for (size_t row = 0; row < tile.rows(); ++row) {
    const PhiloxStream random(1, row, 0, Purpose::kAllele);
    for (size_t i = 0; i < kVariants; ++i) {
      tile.Set(row, i, static_cast<int>(random.Bits(static_cast<uint32_t>(i)) % static_cast<uint32_t>(codes)));
    }
  }
  return tile;
}

std::vector<uint8_t> Encode(const RowEncoder& encoder, const GenotypeMatrix& tile, size_t sample) {
  std::vector<uint8_t> out(encoder.sample_bytes(), 0xAA);
  RowEncoder::Scratch scratch;
  encoder.Encode(tile, sample, out, scratch);
  return out;
}

std::vector<uint8_t> Bytes(const GenotypeMatrix& matrix, size_t sample) {
  const size_t size = RowsPerSample(matrix.packing()) * matrix.row_bytes();
  const auto bytes = matrix.bytes().subspan(sample * size, size);
  return {bytes.begin(), bytes.end()};
}

TEST(RowEncoderTest, NativeRowsAndColumnSubsets) {
  const std::vector<size_t> subset = {0, 3, 4, 7, 12};
  std::vector<size_t> all(kVariants);
  std::iota(all.begin(), all.end(), size_t{0});
  for (const Packing packing : {Packing::kHaplotype1Bit, Packing::kDiploid2Bit}) {
    const GenotypeMatrix tile = Tile(packing);
    const auto whole = RowEncoder::Make(packing, kVariants, all, v1::GENOTYPE_ENCODING_UNSPECIFIED);
    const auto part = RowEncoder::Make(packing, kVariants, subset, v1::GENOTYPE_ENCODING_UNSPECIFIED);
    ASSERT_TRUE(whole.ok() && part.ok());
    for (size_t sample = 0; sample < 2; ++sample) {
      EXPECT_EQ(Encode(*whole, tile, sample), Bytes(tile, sample));
      EXPECT_EQ(Encode(*part, tile, sample), Bytes(tile.SelectVariants(subset), sample));
    }
  }
}

TEST(RowEncoderTest, HaplotypesAsDiploidGenotypes) {
  const std::vector<size_t> subset = {1, 2, 9};
  const GenotypeMatrix tile = Tile(Packing::kHaplotype1Bit);
  const auto encoder = RowEncoder::Make(Packing::kHaplotype1Bit, kVariants, subset, v1::GENOTYPE_ENCODING_DIPLOID_2BIT);
  ASSERT_TRUE(encoder.ok());
  EXPECT_EQ(Encode(*encoder, tile, 1), Bytes(tile.SelectVariants(subset).ToDiploid(), 1));
}

TEST(RowEncoderTest, SignedBytesWithMissingAsMinusOne) {
  const GenotypeMatrix diploid = Tile(Packing::kDiploid2Bit);
  const auto encoder =
      RowEncoder::Make(Packing::kDiploid2Bit, kVariants, std::vector<size_t>(kVariants), v1::GENOTYPE_ENCODING_INT8);
  ASSERT_TRUE(encoder.ok());
  ASSERT_EQ(encoder->sample_bytes(), kVariants);
  const auto out = Encode(*encoder, diploid, 0);
  for (size_t i = 0; i < kVariants; ++i) {
    const int code = diploid.Get(0, i);
    EXPECT_EQ(static_cast<int8_t>(out[i]), code == kMissingGenotype ? -1 : code);
  }
  const auto alleles = RowEncoder::Make(Packing::kHaplotype1Bit, kVariants, {5}, v1::GENOTYPE_ENCODING_INT8);
  ASSERT_TRUE(alleles.ok());
  const GenotypeMatrix tile = Tile(Packing::kHaplotype1Bit);
  const auto two = Encode(*alleles, tile, 1);
  EXPECT_EQ(two, (std::vector<uint8_t>{static_cast<uint8_t>(tile.Get(2, 5)), static_cast<uint8_t>(tile.Get(3, 5))}));
}

TEST(RowEncoderTest, NamesTheBlocksThatItReads) {
  constexpr size_t kMany = 3 * kBlockVariants + 7;
  const auto blocks = [](std::vector<size_t> selection) {
    return RowEncoder::Make(Packing::kHaplotype1Bit, kMany, std::move(selection), v1::GENOTYPE_ENCODING_UNSPECIFIED)
        ->blocks();
  };
  std::vector<size_t> all(kMany);
  std::iota(all.begin(), all.end(), size_t{0});
  using Blocks = std::vector<uint32_t>;
  EXPECT_EQ(blocks(all), Blocks{});
  EXPECT_EQ(blocks({0}), Blocks{0});
  EXPECT_EQ(blocks({3, kBlockVariants - 1}), Blocks{0});
  EXPECT_EQ(blocks({kBlockVariants - 1, kBlockVariants, kMany - 1}), (Blocks{0, 1, 3}));
  all.erase(all.begin());
  EXPECT_EQ(blocks(all), (Blocks{0, 1, 2, 3}));
}

// Blocks that are not asked for hold anything.
TEST(RowEncoderTest, ReadsNothingBesideItsBlocks) {
  constexpr size_t kMany = 3 * kBlockVariants;
  const auto encoder = RowEncoder::Make(Packing::kHaplotype1Bit, kMany, {kBlockVariants, kBlockVariants + 9},
                                        v1::GENOTYPE_ENCODING_DIPLOID_2BIT);
  ASSERT_TRUE(encoder.ok());
  GenotypeMatrix tile(Packing::kHaplotype1Bit, 2, kMany);
  tile.Set(0, kBlockVariants, 1);
  tile.Set(1, kBlockVariants, 1);
  tile.Set(1, kBlockVariants + 9, 1);
  const auto before = Encode(*encoder, tile, 0);
  EXPECT_EQ(before, std::vector<uint8_t>{0b0110});
  for (size_t v = 0; v < kMany; ++v) {
    if (v / kBlockVariants != 1) tile.Set(0, v, 1);
  }
  EXPECT_EQ(Encode(*encoder, tile, 0), before);
}

}  // namespace
}  // namespace genoserve
