#include "trainer/dataset/batch_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace genoserve {
namespace {

constexpr size_t kRows = 40;
constexpr size_t kVariants = 37;

GenotypeMatrix Genotypes(Packing packing) {
  GenotypeMatrix genotypes(packing, kRows, kVariants);
  const int states = packing == Packing::kHaplotype1Bit ? 2 : 3;
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t v = 0; v < kVariants; ++v)
      genotypes.Set(row, v, static_cast<int>(row * row + 7 * v + row * v) % states);
  }
  return genotypes;
}

std::vector<size_t> RowsOf(int64_t index) {
  const auto i = static_cast<size_t>(index);
  return {i % kRows, (3 * i + 1) % kRows, (i * i) % kRows};
}

void ExpectBatch(const GenotypeMatrix& genotypes, int64_t index, const DecodedBatch& batch) {
  ASSERT_EQ(batch.rows, RowsOf(index));
  ASSERT_EQ(batch.codes.size(), batch.rows.size() * kVariants);
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    for (size_t v = 0; v < kVariants; ++v) {
      ASSERT_EQ(batch.codes[i * kVariants + v], static_cast<float>(genotypes.Get(batch.rows[i], v))) << index;
    }
  }
}

TEST(BatchDecoderTest, GivesEveryBatchInOrder) {
  for (const Packing packing : {Packing::kHaplotype1Bit, Packing::kDiploid2Bit}) {
    const GenotypeMatrix genotypes = Genotypes(packing);
    BatchDecoder decoder(genotypes, RowsOf, 3);
    for (int64_t index = 5; index < 500; ++index) ExpectBatch(genotypes, index, decoder.Get(index));
  }
}

TEST(BatchDecoderTest, BeginsAnewWhereTheCallerJumps) {
  const GenotypeMatrix genotypes = Genotypes(Packing::kDiploid2Bit);
  for (size_t ahead = 1; ahead < 4; ++ahead) {
    BatchDecoder decoder(genotypes, RowsOf, ahead);
    for (const int64_t index : {0, 1, 2, 2, 1, 100, 101, 0, 1, 3, 4, 90, 90, 7}) {
      ExpectBatch(genotypes, index, decoder.Get(index));
    }
  }
}

TEST(BatchDecoderTest, DecodesAheadAndNoFurther) {
  const GenotypeMatrix genotypes = Genotypes(Packing::kDiploid2Bit);
  std::atomic<int64_t> asked = -1;
  {
    BatchDecoder decoder(
        genotypes,
        [&asked](int64_t index) {
          asked = index;
          asked.notify_all();
          return RowsOf(index);
        },
        2);
    decoder.Get(10);
    // It goes on by itself until two batches are ahead of the caller's.
    for (int64_t seen = asked; seen < 12; seen = asked) asked.wait(seen);
    ExpectBatch(genotypes, 10, decoder.Get(10));
  }
  EXPECT_EQ(asked, 12) << "of 10, two ahead";
}

}  // namespace
}  // namespace genoserve
