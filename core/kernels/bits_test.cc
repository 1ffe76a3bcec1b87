#include "core/kernels/bits.h"

#include <gtest/gtest.h>

#include <vector>

namespace genoserve {
namespace {

TEST(BitsTest, CountsOfKnownWords) {
  const std::vector<uint64_t> a = {0b1011, ~uint64_t{0}, 0};
  const std::vector<uint64_t> b = {0b0110, 1, 0};
  EXPECT_EQ(CountBits(a), 67U);
  EXPECT_EQ(CountAnd(a, b), 2U);
  EXPECT_EQ(CountXor(a, b), 66U);
  EXPECT_EQ(CountBits({}), 0U);
}

}  // namespace
}  // namespace genoserve
