// Compiled with -ffp-contract=off: the operations are those of ToNormal in core/base/philox.cc, one by one.
#include "core/kernels/latent.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/as241.h"
#include "core/kernels/random.h"

// The function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/latent.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Longs = hn::RebindToSigned<Doubles>;
using Vector = hn::Vec<Doubles>;

// The ratio of polynomials in each of two vectors, which are independent: a single one waits for its own additions.
HWY_INLINE void Ratios(const std::array<double, 8>& a, const std::array<double, 8>& b, Vector& x, Vector& y) {
  const Doubles d;
  auto numerator_x = hn::Set(d, a[7]);
  auto numerator_y = numerator_x;
  auto denominator_x = hn::Set(d, b[7]);
  auto denominator_y = denominator_x;
  for (size_t i = 7; i-- > 0;) {
    numerator_x = hn::Add(hn::Mul(numerator_x, x), hn::Set(d, a[i]));
    numerator_y = hn::Add(hn::Mul(numerator_y, y), hn::Set(d, a[i]));
    denominator_x = hn::Add(hn::Mul(denominator_x, x), hn::Set(d, b[i]));
    denominator_y = hn::Add(hn::Mul(denominator_y, y), hn::Set(d, b[i]));
  }
  x = hn::Div(numerator_x, denominator_x);
  y = hn::Div(numerator_y, denominator_y);
}

HWY_INLINE Vector Log(Vector x) {
  const Doubles d;
  const Longs l;
  const auto one = hn::Set(d, 1.0);
  const auto bits = hn::BitCast(l, x);
  auto m = hn::BitCast(d, hn::Or(hn::And(bits, hn::Set(l, 0x000FFFFFFFFFFFFF)), hn::Set(l, 0x3FF0000000000000)));
  // The exponent as a double: 2^52 + e, e being the biased one, less 2^52 + 1023.
  const auto biased = hn::Or(hn::ShiftRight<52>(bits), hn::Set(l, 0x4330000000000000));
  auto exponent = hn::Sub(hn::BitCast(d, biased), hn::Set(d, 0x1p52 + 1023));
  const auto large = hn::Gt(m, hn::Set(d, 1.4142135623730951));
  m = hn::IfThenElse(large, hn::Mul(m, hn::Set(d, 0.5)), m);
  exponent = hn::IfThenElse(large, hn::Add(exponent, one), exponent);
  const auto s = hn::Div(hn::Sub(m, one), hn::Add(m, one));
  const auto s2 = hn::Mul(s, s);
  auto sum = hn::Set(d, 1.0 / 21);
  for (int k = 19; k >= 1; k -= 2) sum = hn::Add(hn::Mul(sum, s2), hn::Set(d, 1.0 / k));
  return hn::Add(hn::Mul(hn::Mul(hn::Set(d, 2.0), s), sum), hn::Mul(exponent, hn::Set(d, 0.6931471805599453)));
}

// p - 0.5 for each of a vector of numbers, exact.
HWY_INLINE Vector FromMiddle(const uint32_t* numbers) {
  const Doubles d;
  const hn::Rebind<uint32_t, Doubles> words;
  const auto middle = hn::Xor(hn::LoadU(words, numbers), hn::Set(words, 0x80000000));
  const auto whole = hn::PromoteTo(d, hn::BitCast(hn::Rebind<int32_t, Doubles>(), middle));
  return hn::Mul(hn::Add(whole, hn::Set(d, 0.5)), hn::Set(d, 0x1p-32));
}

HWY_INLINE void Store(Vector values, float* out) {
  const hn::Rebind<float, Doubles> floats;
  hn::StoreU(hn::DemoteTo(floats, values), floats, out);
}

// The values of numbers where |p - 0.5| <= 0.425. `size` is a multiple of 16, as in the next.
void Centre(const uint32_t* numbers, size_t size, float* out) {
  const Doubles d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < size; i += 2 * lanes) {
    const auto q = FromMiddle(numbers + i);
    const auto next_q = FromMiddle(numbers + i + lanes);
    auto r = hn::Sub(hn::Set(d, 0.180625), hn::Mul(q, q));
    auto next_r = hn::Sub(hn::Set(d, 0.180625), hn::Mul(next_q, next_q));
    Ratios(as241::kCentreA, as241::kCentreB, r, next_r);
    Store(hn::Mul(q, r), out + i);
    Store(hn::Mul(next_q, next_r), out + i + lanes);
  }
}

// Gathers the numbers outside the centre and their places, and gives how many there are; `size` as before, and room for
// one vector more. |p - 0.5| is (distance + 0.5) / 2^32, the distance being the number's from the middle.
size_t Gather(const uint32_t* numbers, size_t size, uint32_t* far, uint32_t* places) {
  const hn::ScalableTag<uint32_t> words;
  const hn::RebindToSigned<decltype(words)> ints;
  const auto last_inside = hn::Set(ints, static_cast<int32_t>(0.425 * 0x1p32 - 0.5));
  size_t count = 0;
  for (size_t i = 0; i < size; i += hn::Lanes(words)) {
    const auto number = hn::LoadU(words, numbers + i);
    const auto middle = hn::BitCast(ints, hn::Xor(number, hn::Set(words, 0x80000000)));
    const auto distance = hn::Xor(middle, hn::ShiftRight<31>(middle));
    const auto outside = hn::RebindMask(words, hn::Gt(distance, last_inside));
    hn::StoreU(hn::Compress(number, outside), words, far + count);
    const auto place = hn::Add(hn::Iota(words, 0), hn::Set(words, static_cast<uint32_t>(i)));
    hn::StoreU(hn::Compress(place, outside), words, places + count);
    count += hn::CountTrue(words, outside);
  }
  return count;
}

// sqrt(-log(min(p, 1 - p))) - 1.6. At most 3.2, since p is no less than 2^-33: the formula beyond that is never needed.
HWY_INLINE Vector TailArgument(Vector q) {
  const Doubles d;
  return hn::Sub(hn::Sqrt(hn::Neg(Log(hn::Sub(hn::Set(d, 0.5), hn::Abs(q))))), hn::Set(d, 1.6));
}

// The values of the other numbers.
void Outside(const uint32_t* numbers, size_t size, float* out) {
  const size_t lanes = hn::Lanes(Doubles());
  for (size_t i = 0; i < size; i += 2 * lanes) {
    const auto q = FromMiddle(numbers + i);
    const auto next_q = FromMiddle(numbers + i + lanes);
    auto r = TailArgument(q);
    auto next_r = TailArgument(next_q);
    Ratios(as241::kMiddleA, as241::kMiddleB, r, next_r);
    Store(hn::CopySign(r, q), out + i);
    Store(hn::CopySign(next_r, next_q), out + i + lanes);
  }
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {
namespace {

// Numbers that are transformed while they are in the nearest cache.
constexpr size_t kChunk = 512;
// Twice the most lanes of a vector.
constexpr size_t kStep = 16;

size_t WholeSteps(size_t size) { return (size + kStep - 1) / kStep * kStep; }

}  // namespace

HWY_EXPORT(Centre);
HWY_EXPORT(Gather);
HWY_EXPORT(Outside);

void FillLatent(const PhiloxStream& stream, std::span<float> out) {
  const auto centre = HWY_DYNAMIC_DISPATCH(Centre);
  const auto gather = HWY_DYNAMIC_DISPATCH(Gather);
  const auto outside = HWY_DYNAMIC_DISPATCH(Outside);
  std::array<uint32_t, kChunk> numbers;
  std::array<float, kChunk> values;
  // The numbers outside the centre, one in seven, and where they stand.
  std::array<uint32_t, kChunk + kStep> far;
  std::array<uint32_t, kChunk + kStep> places;
  std::array<float, kChunk> far_values;
  for (size_t first = 0; first < out.size(); first += kChunk) {
    const size_t size = std::min(kChunk, out.size() - first);
    FillBits(stream, first, {numbers.data(), WholeSteps(size)});
    centre(numbers.data(), WholeSteps(size), values.data());
    const size_t count = gather(numbers.data(), WholeSteps(size), far.data(), places.data());
    std::fill_n(far.begin() + static_cast<ptrdiff_t>(count), WholeSteps(count) - count, 0);
    outside(far.data(), WholeSteps(count), far_values.data());
    for (size_t i = 0; i < count; ++i) values[places[i]] = far_values[i];
    std::copy_n(values.begin(), size, out.begin() + static_cast<ptrdiff_t>(first));
  }
}

}  // namespace genoserve
#endif  // HWY_ONCE
