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

// Numbers that are transformed while they are in the nearest cache.
constexpr size_t kChunk = 512;

HWY_INLINE Vector Ratio(Vector r, const std::array<double, 8>& a, const std::array<double, 8>& b) {
  const Doubles d;
  auto numerator = hn::Set(d, a[7]);
  auto denominator = hn::Set(d, b[7]);
  for (size_t i = 7; i-- > 0;) {
    numerator = hn::Add(hn::Mul(numerator, r), hn::Set(d, a[i]));
    denominator = hn::Add(hn::Mul(denominator, r), hn::Set(d, b[i]));
  }
  return hn::Div(numerator, denominator);
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

// The normal values of `numbers`. Both have room for a whole number of vectors.
void Normals(const uint32_t* numbers, size_t size, float* out) {
  const Doubles d;
  const Longs l;
  const hn::Rebind<int32_t, Doubles> narrow;
  const hn::Rebind<float, Doubles> floats;
  const size_t lanes = hn::Lanes(d);
  // The middle of the distribution for all; those outside it, one in seven, are gathered for a second pass.
  HWY_ALIGN std::array<double, kChunk + 8> outside;
  HWY_ALIGN std::array<int64_t, kChunk + 8> places;
  size_t count = 0;
  for (size_t i = 0; i < size; i += lanes) {
    const auto bits = hn::BitCast(narrow, hn::LoadU(hn::Rebind<uint32_t, Doubles>(), numbers + i));
    const auto middle = hn::PromoteTo(d, hn::Xor(bits, hn::Set(narrow, INT32_MIN)));
    // p - 0.5, exact.
    const auto q = hn::Mul(hn::Add(middle, hn::Set(d, 0.5)), hn::Set(d, 0x1p-32));
    const auto centre =
        hn::Mul(q, Ratio(hn::Sub(hn::Set(d, 0.180625), hn::Mul(q, q)), as241::kCentreA, as241::kCentreB));
    hn::StoreU(hn::DemoteTo(floats, centre), floats, out + i);
    const auto is_outside = hn::Gt(hn::Abs(q), hn::Set(d, 0.425));
    hn::CompressStore(hn::Iota(l, static_cast<int64_t>(i)), hn::RebindMask(l, is_outside), l, places.data() + count);
    count += hn::CompressStore(q, is_outside, d, outside.data() + count);
  }
  std::fill_n(outside.begin() + static_cast<ptrdiff_t>(count), lanes, 0.5 - 0x1p-33);
  for (size_t i = 0; i < count; i += lanes) {
    const auto q = hn::LoadU(d, outside.data() + i);
    // At most 4.8, since p is no less than 2^-33: the formula for r > 5 is never needed.
    const auto r = hn::Sqrt(hn::Neg(Log(hn::Sub(hn::Set(d, 0.5), hn::Abs(q)))));
    const auto magnitude = Ratio(hn::Sub(r, hn::Set(d, 1.6)), as241::kMiddleA, as241::kMiddleB);
    HWY_ALIGN std::array<float, 8> values;
    hn::StoreU(hn::DemoteTo(floats, hn::CopySign(magnitude, q)), floats, values.data());
    for (size_t k = 0; k < std::min(lanes, count - i); ++k) out[places[i + k]] = values[k];
  }
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

using HWY_NAMESPACE::kChunk;

HWY_EXPORT(Normals);

void FillLatent(const PhiloxStream& stream, std::span<float> out) {
  const auto normals = HWY_DYNAMIC_DISPATCH(Normals);
  std::array<uint32_t, kChunk> numbers;
  std::array<float, kChunk> values;
  for (size_t first = 0; first < out.size(); first += kChunk) {
    const size_t size = std::min(kChunk, out.size() - first);
    const size_t whole = (size + 7) / 8 * 8;
    FillBits(stream, first, {numbers.data(), whole});
    normals(numbers.data(), whole, values.data());
    std::copy_n(values.begin(), size, out.begin() + static_cast<ptrdiff_t>(first));
  }
}

}  // namespace genoserve
#endif  // HWY_ONCE
