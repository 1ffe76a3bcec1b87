// Compiled with -ffp-contract=off, see the header.
#include "core/kernels/draw.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "core/kernels/random.h"

// Each function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/draw.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;
using Vector = hn::Vec<Floats>;

// StableExp of core/model/stable_exp.h, operation by operation; without `kClampAbove` x must be at most 87 or NaN. Max
// gives the second where the first is NaN.
template <bool kClampAbove = true>
HWY_INLINE Vector Exp(Vector x) {
  const Floats d;
  const Ints i;
  x = hn::Max(x, hn::Set(d, -87.0F));
  if constexpr (kClampAbove) x = hn::Min(x, hn::Set(d, 87.0F));
  const auto shifted = hn::Add(hn::Mul(x, hn::Set(d, 1.44269504F)), hn::Set(d, 12582912.0F));
  const auto n = hn::Sub(shifted, hn::Set(d, 12582912.0F));
  auto r = hn::Sub(x, hn::Mul(n, hn::Set(d, 0.693359375F)));
  r = hn::Add(r, hn::Mul(n, hn::Set(d, 2.12194440e-4F)));
  auto p = hn::Set(d, 1.9875691500e-4F);
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 1.3981999507e-3F));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 8.3334519073e-3F));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 4.1665795894e-2F));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 1.6666665459e-1F));
  p = hn::Add(hn::Mul(p, r), hn::Set(d, 5.0000001201e-1F));
  const auto value = hn::Add(hn::Add(hn::Mul(p, hn::Mul(r, r)), r), hn::Set(d, 1.0F));
  // 2^n: the low bits of `shifted` hold n.
  const auto scale = hn::ShiftLeft<23>(hn::Sub(hn::BitCast(i, shifted), hn::Set(i, 0x4B400000 - 127)));
  return hn::Mul(value, hn::BitCast(d, scale));
}

// The middle of the interval of [0, 1) that the upper 23 bits stand for; exact.
HWY_INLINE Vector Uniform(const uint32_t* numbers) {
  const Floats d;
  const auto upper = hn::ConvertTo(d, hn::BitCast(Ints(), hn::ShiftRight<9>(hn::LoadU(Words(), numbers))));
  return hn::Mul(hn::Add(upper, hn::Set(d, 0.5F)), hn::Set(d, 0x1p-23F));
}

// One bit a lane, the first lane's lowest.
template <class Mask>
HWY_INLINE uint32_t MaskBits(Mask mask) {
  std::conditional_t<(hn::MaxLanes(Floats()) > 8), uint16_t, uint8_t> bits = 0;
  static_assert(hn::MaxLanes(Floats()) <= 16);
  std::array<uint8_t, 8> bytes;
  hn::StoreMaskBits(Floats(), mask, bytes.data());
  std::memcpy(&bits, bytes.data(), sizeof(bits));
  return bits;
}

// The exponentials of three logits less the highest, two of which have to be computed: the highest one's is exactly 1.
HWY_INLINE std::array<Vector, 3> Weights(Vector x0, Vector x1, Vector x2, Vector highest) {
  const Floats d;
  // With infinities or NaN the highest one's is not 1.
  const auto regular = hn::And(hn::Eq(hn::Sub(highest, highest), hn::Zero(d)), hn::Eq(x1, x1));
  if (HWY_UNLIKELY(!hn::AllTrue(d, regular))) {
    return {Exp(hn::Sub(x0, highest)), Exp(hn::Sub(x1, highest)), Exp(hn::Sub(x2, highest))};
  }
  const auto one = hn::Set(d, 1.0F);
  const auto is0 = hn::Eq(x0, highest);
  const auto is2 = hn::Eq(x2, highest);
  const auto left = Exp<false>(hn::Sub(hn::IfThenElse(is0, x1, x0), highest));
  const auto right = Exp<false>(hn::Sub(hn::IfThenElse(is2, x1, x2), highest));
  const auto middle = hn::IfThenElse(is0, left, hn::IfThenElse(is2, right, one));
  return {hn::IfThenElse(is0, one, left), middle, hn::IfThenElse(is2, one, right)};
}

// Two bits a lane, the first lane's lowest; `low` and `high` have 16 bits.
HWY_INLINE uint32_t Interleave(uint32_t low, uint32_t high) {
  uint64_t both = low | uint64_t{high} << 32;
  both = (both | both << 8) & 0x00FF00FF00FF00FF;
  both = (both | both << 4) & 0x0F0F0F0F0F0F0F0F;
  both = (both | both << 2) & 0x3333333333333333;
  both = (both | both << 1) & 0x5555555555555555;
  return static_cast<uint32_t>(both) | static_cast<uint32_t>(both >> 31);
}

// Variants whose bits are put together before they are written.
constexpr size_t kStep = 16;
// Variants whose random numbers are made at a time.
constexpr size_t kChunk = 512;

// Writes the bits that `bits_of(first)` has for the kStep variants from `first` on, kBits a variant.
template <size_t kBits, class BitsOf>
HWY_INLINE void PackSteps(size_t size, uint8_t* packed, const BitsOf& bits_of) {
  for (size_t i = 0; i < size; i += kStep) {
    std::conditional_t<kBits == 2, uint32_t, uint16_t> word = 0;
    word = static_cast<decltype(word)>(bits_of(i));
    std::memcpy(packed + i * kBits / 8, &word, sizeof(word));
  }
}

// The bits of kStep variants from those of one vector of them.
template <class MaskOf>
HWY_INLINE uint32_t StepBits(size_t first, const MaskOf& mask_of) {
  uint32_t bits = 0;
  for (size_t i = 0; i < kStep; i += hn::Lanes(Floats())) bits |= MaskBits(mask_of(first + i)) << i;
  return bits;
}

// `size` is a multiple of kStep in the following three.
void Alleles(const float* logits, const float* offsets, const uint32_t* numbers, size_t size, uint8_t* packed) {
  const Floats d;
  PackSteps<1>(size, packed, [&](size_t first) HWY_ATTR {
    return StepBits(first, [&](size_t i) HWY_ATTR {
      // u < 1 / (1 + e^-x), without the division.
      auto x = hn::LoadU(d, logits + i);
      if (offsets != nullptr) x = hn::Add(x, hn::LoadU(d, offsets + i));
      const auto power = Exp(hn::Neg(x));
      return hn::Lt(hn::Mul(Uniform(numbers + i), hn::Add(hn::Set(d, 1.0F), power)), hn::Set(d, 1.0F));
    });
  });
}

void Threshold(const float* logits, const float* offsets, size_t size, uint8_t* packed) {
  const Floats d;
  const auto atanh_half = hn::Set(d, 0.54930614433405489F);
  PackSteps<1>(size, packed, [&](size_t first) HWY_ATTR {
    return StepBits(first, [&](size_t i) HWY_ATTR {
      auto x = hn::LoadU(d, logits + i);
      if (offsets != nullptr) x = hn::Add(x, hn::LoadU(d, offsets + i));
      return hn::Gt(x, atanh_half);
    });
  });
}

void Genotypes(const float* logits0, const float* logits1, const float* logits2, const uint32_t* numbers, size_t size,
               uint8_t* packed) {
  const Floats d;
  PackSteps<2>(size, packed, [&](size_t first) HWY_ATTR {
    uint32_t one = 0;
    uint32_t two = 0;
    for (size_t k = 0; k < kStep; k += hn::Lanes(d)) {
      const size_t i = first + k;
      const auto x0 = hn::LoadU(d, logits0 + i);
      const auto x1 = hn::LoadU(d, logits1 + i);
      const auto x2 = hn::LoadU(d, logits2 + i);
      const auto highest = hn::Max(hn::Max(x0, x1), x2);
      const auto weight = Weights(x0, x1, x2, highest);
      const auto up_to_1 = hn::Add(weight[0], weight[1]);
      const auto scaled = hn::Mul(Uniform(numbers + i), hn::Add(up_to_1, weight[2]));
      const auto above1 = hn::Ge(scaled, up_to_1);
      one |= MaskBits(hn::AndNot(above1, hn::Ge(scaled, weight[0]))) << k;
      two |= MaskBits(above1) << k;
    }
    return Interleave(one, two);
  });
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {
namespace {

using HWY_NAMESPACE::kChunk;
using HWY_NAMESPACE::kStep;

using Numbers = std::array<uint32_t, kChunk>;

// Up to kStep - 1 variants, filled up.
struct Rest {
  explicit Rest(std::span<const float> from) { std::copy(from.begin(), from.end(), values.begin()); }
  std::array<float, kStep> values{};
};

// Calls `whole(first, size)` for pieces of the variants that are multiples of kStep, of at most kChunk variants, and
// `rest(first, size)` for what remains of the last one, which writes kStep variants to where it is told.
template <size_t kBits, class Whole, class Last>
void ForPieces(size_t size, uint8_t* packed, const Whole& whole, const Last& last) {
  const size_t steps = size / kStep * kStep;
  for (size_t first = 0; first < steps; first += kChunk) whole(first, std::min(kChunk, steps - first));
  if (steps == size) return;
  std::array<uint8_t, kStep * kBits / 8> bytes;
  last(steps, bytes.data());
  const size_t bits = (size - steps) * kBits;
  const size_t used = (bits + 7) / 8;
  if (bits % 8 != 0) bytes[used - 1] &= static_cast<uint8_t>((1U << bits % 8) - 1);
  std::memcpy(packed + steps * kBits / 8, bytes.data(), used);
}

}  // namespace

HWY_EXPORT(Alleles);
HWY_EXPORT(Threshold);
HWY_EXPORT(Genotypes);

void DrawAndPackAlleles(std::span<const float> logits, std::span<const float> offsets, const PhiloxStream& stream,
                        uint64_t first_number, uint8_t* packed) {
  const auto draw = HWY_DYNAMIC_DISPATCH(Alleles);
  Numbers numbers;
  ForPieces<1>(
      logits.size(), packed,
      [&](size_t first, size_t size) {
        FillBits(stream, first_number + first, {numbers.data(), size});
        draw(&logits[first], offsets.empty() ? nullptr : &offsets[first], numbers.data(), size, packed + first / 8);
      },
      [&](size_t first, uint8_t* bytes) {
        FillBits(stream, first_number + first, {numbers.data(), kStep});
        const Rest x(logits.subspan(first));
        const Rest offset(offsets.empty() ? offsets : offsets.subspan(first));
        draw(x.values.data(), offset.values.data(), numbers.data(), kStep, bytes);
      });
}

void ThresholdAndPackAlleles(std::span<const float> logits, std::span<const float> offsets, uint8_t* packed) {
  const auto decide = HWY_DYNAMIC_DISPATCH(Threshold);
  ForPieces<1>(
      logits.size(), packed,
      [&](size_t first, size_t size) {
        decide(&logits[first], offsets.empty() ? nullptr : &offsets[first], size, packed + first / 8);
      },
      [&](size_t first, uint8_t* bytes) {
        const Rest x(logits.subspan(first));
        const Rest offset(offsets.empty() ? offsets : offsets.subspan(first));
        decide(x.values.data(), offset.values.data(), kStep, bytes);
      });
}

void DrawAndPackGenotypes(std::span<const float> logits0, std::span<const float> logits1,
                          std::span<const float> logits2, const PhiloxStream& stream, uint64_t first_number,
                          uint8_t* packed) {
  const auto draw = HWY_DYNAMIC_DISPATCH(Genotypes);
  Numbers numbers;
  ForPieces<2>(
      logits0.size(), packed,
      [&](size_t first, size_t size) {
        FillBits(stream, first_number + first, {numbers.data(), size});
        draw(&logits0[first], &logits1[first], &logits2[first], numbers.data(), size, packed + first / 4);
      },
      [&](size_t first, uint8_t* bytes) {
        FillBits(stream, first_number + first, {numbers.data(), kStep});
        const Rest x0(logits0.subspan(first));
        const Rest x1(logits1.subspan(first));
        const Rest x2(logits2.subspan(first));
        draw(x0.values.data(), x1.values.data(), x2.values.data(), numbers.data(), kStep, bytes);
      });
}

}  // namespace genoserve
#endif  // HWY_ONCE
