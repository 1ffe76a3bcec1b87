#include "trainer/chain/prefix_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

namespace genoserve {
namespace {

using Codes = std::vector<std::vector<uint8_t>>;  // [variant][row]

// Rows that resemble one another, so that many agree over many variants.
Codes RandomCodes(size_t rows, size_t symbols, size_t variants, uint64_t seed) {
  std::mt19937_64 random(seed);
  Codes codes(variants, std::vector<uint8_t>(rows));
  for (size_t v = 0; v < variants; ++v) {
    for (size_t row = 0; row < rows; ++row) {
      codes[v][row] = static_cast<uint8_t>(random() % 4 == 0 ? random() % symbols : (row / 4 + v) % symbols);
    }
  }
  return codes;
}

// First variant from which on two rows agree up to `last`; last + 1 where they do not.
size_t Agreement(const Codes& codes, size_t first, size_t last, size_t one, size_t other) {
  size_t from = last + 1;
  while (from > first && codes[from - 1][one] == codes[from - 1][other]) --from;
  return from;
}

class PrefixOrderTest : public testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(Symbols, PrefixOrderTest, testing::Values(2, 3));

// By sorting the reversed prefixes themselves.
TEST_P(PrefixOrderTest, OrderAgreementAndCountsAreThoseOfSorting) {
  constexpr size_t kRows = 37;
  constexpr size_t kFirst = 5;  // of the chromosome
  const size_t symbols = GetParam();
  const Codes codes = RandomCodes(kRows, symbols, 60, 1);
  PrefixOrder order(kRows, symbols);
  order.Restart(kFirst);
  for (size_t v = kFirst; v < codes.size(); ++v) {
    const std::vector<uint32_t> before(order.order().begin(), order.order().end());
    order.Add(v, codes[v]);

    std::vector<uint32_t> wanted(kRows);
    std::iota(wanted.begin(), wanted.end(), 0U);
    std::stable_sort(wanted.begin(), wanted.end(), [&](uint32_t a, uint32_t b) {
      for (size_t u = v + 1; u-- > kFirst;) {
        if (codes[u][a] != codes[u][b]) return codes[u][a] < codes[u][b];
      }
      return false;
    });
    ASSERT_EQ(std::vector<uint32_t>(order.order().begin(), order.order().end()), wanted) << v;
    EXPECT_EQ(order.Agree(0), v + 1);
    EXPECT_EQ(order.Agree(kRows), v + 1);
    for (size_t place = 1; place < kRows; ++place) {
      ASSERT_EQ(order.Agree(place), Agreement(codes, kFirst, v, wanted[place - 1], wanted[place])) << v << " " << place;
    }
    size_t first_place = 0;
    for (size_t s = 0; s < symbols; ++s) {
      EXPECT_EQ(order.FirstPlace(s), first_place);
      size_t count = 0;
      for (size_t place = 0; place <= kRows; ++place) {
        ASSERT_EQ(order.CountBefore(place, s), count) << v << " " << place << " " << s;
        if (place < kRows && codes[v][before[place]] == s) ++count;
      }
      first_place += count;
    }
    EXPECT_EQ(order.FirstPlace(symbols), kRows);
  }
}

TEST_P(PrefixOrderTest, RowsThatShareTheirLastCodesStandTogether) {
  constexpr size_t kRows = 50;
  const Codes codes = RandomCodes(kRows, GetParam(), 40, 2);
  PrefixOrder order(kRows, GetParam());
  for (size_t v = 0; v < codes.size(); ++v) order.Add(v, codes[v]);
  const size_t last = codes.size() - 1;
  for (size_t length = 1; length <= 10; ++length) {
    for (size_t row = 0; row < kRows; ++row) {
      size_t sharing = 0;
      for (size_t other = 0; other < kRows; ++other) {
        sharing += Agreement(codes, 0, last, row, other) + length <= last + 1 ? 1 : 0;
      }
      const auto place =
          static_cast<size_t>(std::find(order.order().begin(), order.order().end(), row) - order.order().begin());
      size_t low = place;
      size_t high = place + 1;
      while (low > 0 && order.Agree(low) + length <= last + 1) --low;
      while (high < kRows && order.Agree(high) + length <= last + 1) ++high;
      ASSERT_EQ(high - low, sharing) << "row " << row << ", " << length << " codes";
    }
  }
}

}  // namespace
}  // namespace genoserve
