#include "core/kernels/bits.h"

#include <algorithm>
#include <bit>
#include <cstddef>

// Each function is compiled for several instruction sets, also for those that count bits by one instruction, and the
// best one that the CPU has is chosen when the program runs.
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bits.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors whose counts a byte can add up: 31 * 8 < 256.
constexpr size_t kVectorsPerSum = 31;
// Rows that one pass over `a` is compared with: enough to hide what a step waits for.
constexpr size_t kRowsPerPass = 4;

struct AndOp {
  static uint64_t Word(uint64_t a, uint64_t b) { return a & b; }
  template <class V>
  static HWY_INLINE V Vector(V a, V b) {
    return hn::And(a, b);
  }
};

struct XorOp {
  static uint64_t Word(uint64_t a, uint64_t b) { return a ^ b; }
  template <class V>
  static HWY_INLINE V Vector(V a, V b) {
    return hn::Xor(a, b);
  }
};

#if HWY_TARGET == HWY_SCALAR
// For a CPU without vectors.
template <class Op, size_t kRows>
void CountRows(const uint64_t* a, const uint64_t* rows, size_t words, uint32_t* counts) {
  for (size_t row = 0; row < kRows; ++row) {
    counts[row] = 0;
    for (size_t i = 0; i < words; ++i) {
      counts[row] += static_cast<uint32_t>(std::popcount(Op::Word(a[i], rows[row * words + i])));
    }
  }
}
#else
using Words = hn::ScalableTag<uint64_t>;
using Bytes = hn::Repartition<uint8_t, Words>;

// Counts the bits of Op(a, row) for `kRows` rows of `words` words, one after another from `rows` on.
template <class Op, size_t kRows>
HWY_INLINE void CountRows(const uint64_t* HWY_RESTRICT a, const uint64_t* HWY_RESTRICT rows, size_t words,
                          uint32_t* HWY_RESTRICT counts) {
  static_assert(kRows == 1 || kRows == kRowsPerPass);
  const Words w;
  const Bytes b;
  const size_t lanes = hn::Lanes(w);
  auto total0 = hn::Zero(w);
  auto total1 = hn::Zero(w);
  auto total2 = hn::Zero(w);
  auto total3 = hn::Zero(w);
  size_t i = 0;
  while (i + lanes <= words) {
    const size_t end = i + lanes * std::min(kVectorsPerSum, (words - i) / lanes);
    auto sum0 = hn::Zero(b);
    auto sum1 = hn::Zero(b);
    auto sum2 = hn::Zero(b);
    auto sum3 = hn::Zero(b);
    for (; i < end; i += lanes) {
      const auto x = hn::LoadU(w, a + i);
      const auto count = [&](size_t row) HWY_ATTR {
        return hn::PopulationCount(hn::BitCast(b, Op::Vector(x, hn::LoadU(w, rows + row * words + i))));
      };
      sum0 = hn::Add(sum0, count(0));
      if constexpr (kRows > 1) {
        sum1 = hn::Add(sum1, count(1));
        sum2 = hn::Add(sum2, count(2));
        sum3 = hn::Add(sum3, count(3));
      }
    }
    total0 = hn::Add(total0, hn::SumsOf8(sum0));
    if constexpr (kRows > 1) {
      total1 = hn::Add(total1, hn::SumsOf8(sum1));
      total2 = hn::Add(total2, hn::SumsOf8(sum2));
      total3 = hn::Add(total3, hn::SumsOf8(sum3));
    }
  }
  counts[0] = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(w, total0)));
  if constexpr (kRows > 1) {
    counts[1] = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(w, total1)));
    counts[2] = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(w, total2)));
    counts[3] = static_cast<uint32_t>(hn::GetLane(hn::SumOfLanes(w, total3)));
  }
  for (; i < words; ++i) {
    for (size_t row = 0; row < kRows; ++row) {
      counts[row] += static_cast<uint32_t>(std::popcount(Op::Word(a[i], rows[row * words + i])));
    }
  }
}

#endif

template <class Op>
HWY_INLINE void CountMany(const uint64_t* a, const uint64_t* rows, size_t words, size_t count, uint32_t* counts) {
  size_t row = 0;
  for (; row + kRowsPerPass <= count; row += kRowsPerPass) {
    CountRows<Op, kRowsPerPass>(a, rows + row * words, words, counts + row);
  }
  for (; row < count; ++row) CountRows<Op, 1>(a, rows + row * words, words, counts + row);
}

void AndMany(const uint64_t* a, const uint64_t* rows, size_t words, size_t count, uint32_t* counts) {
  CountMany<AndOp>(a, rows, words, count, counts);
}

void XorMany(const uint64_t* a, const uint64_t* rows, size_t words, size_t count, uint32_t* counts) {
  CountMany<XorOp>(a, rows, words, count, counts);
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(AndMany);
HWY_EXPORT(XorMany);

uint64_t CountBits(std::span<const uint64_t> a) { return CountAnd(a, a); }

uint64_t CountAnd(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  uint32_t count = 0;
  HWY_DYNAMIC_DISPATCH(AndMany)(a.data(), b.data(), a.size(), 1, &count);
  return count;
}

uint64_t CountXor(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  uint32_t count = 0;
  HWY_DYNAMIC_DISPATCH(XorMany)(a.data(), b.data(), a.size(), 1, &count);
  return count;
}

void CountAndMany(std::span<const uint64_t> a, std::span<const uint64_t> rows, std::span<uint32_t> counts) {
  HWY_DYNAMIC_DISPATCH(AndMany)(a.data(), rows.data(), a.size(), counts.size(), counts.data());
}

void CountXorMany(std::span<const uint64_t> a, std::span<const uint64_t> rows, std::span<uint32_t> counts) {
  HWY_DYNAMIC_DISPATCH(XorMany)(a.data(), rows.data(), a.size(), counts.size(), counts.data());
}

}  // namespace genoserve
#endif  // HWY_ONCE
