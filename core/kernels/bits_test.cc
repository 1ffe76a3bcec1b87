#include "core/kernels/bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <vector>

#define HWY_WANT_AVX3_DL
#include "hwy/highway.h"

namespace genoserve {
namespace {

std::vector<uint64_t> RandomWords(size_t count, uint64_t seed) {
  std::vector<uint64_t> words(count);
  for (uint64_t& word : words) {
    // xorshift64* (Vigna 2016)
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    word = seed * 0x2545F4914F6CDD1DU;
  }
  return words;
}

// The scalar twins that the vectorised counts must equal.
uint32_t ScalarAnd(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  int count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += std::popcount(a[i] & b[i]);
  return static_cast<uint32_t>(count);
}

uint32_t ScalarXor(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  int count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += std::popcount(a[i] ^ b[i]);
  return static_cast<uint32_t>(count);
}

TEST(BitsTest, CountsOfKnownWords) {
  const std::vector<uint64_t> a = {0b1011, ~uint64_t{0}, 0};
  const std::vector<uint64_t> b = {0b0110, 1, 0};
  EXPECT_EQ(CountBits(a), 67U);
  EXPECT_EQ(CountAnd(a, b), 2U);
  EXPECT_EQ(CountXor(a, b), 66U);
  EXPECT_EQ(CountBits({}), 0U);
}

// A byte of a vector must not overflow, however long the row.
TEST(BitsTest, FullRowsAreCountedWhole) {
  for (const size_t words : {1, 31, 247, 248, 249, 1000}) {
    EXPECT_EQ(CountBits(std::vector<uint64_t>(words, ~uint64_t{0})), 64 * words) << words;
  }
}

TEST(BitsTest, EveryInstructionSetEqualsTheScalarTwin) {
  std::vector<int64_t> targets = hwy::SupportedAndGeneratedTargets();
  ASSERT_FALSE(targets.empty());
  for (const int64_t target : targets) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(hwy::TargetName(target));
    for (size_t words : {0, 1, 2, 3, 7, 8, 9, 16, 33, 255, 300}) {
      for (size_t rows : {0, 1, 3, 4, 5, 9}) {
        const std::vector<uint64_t> a = RandomWords(words, 1 + words);
        const std::vector<uint64_t> many = RandomWords(words * rows, 77 + rows);
        std::vector<uint32_t> ands(rows, 9);
        std::vector<uint32_t> xors(rows, 9);
        CountAndMany(a, many, ands);
        CountXorMany(a, many, xors);
        for (size_t row = 0; row < rows; ++row) {
          const std::span<const uint64_t> b = std::span(many).subspan(row * words, words);
          EXPECT_EQ(ands[row], ScalarAnd(a, b)) << words << " words, row " << row;
          EXPECT_EQ(xors[row], ScalarXor(a, b)) << words << " words, row " << row;
          EXPECT_EQ(CountAnd(a, b), ScalarAnd(a, b));
          EXPECT_EQ(CountXor(a, b), ScalarXor(a, b));
        }
        EXPECT_EQ(CountBits(a), ScalarAnd(a, a));
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace
}  // namespace genoserve
