#include "core/kernels/random.h"

#include <algorithm>
#include <array>
#include <cstddef>

// Each function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/random.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Highway's mathematics come after it.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Numbers that are transformed while they are in the nearest cache; whole blocks of Philox.
constexpr size_t kChunk = 2048;

#if HWY_TARGET == HWY_SCALAR
// The blocks from `block` on; `count` is a multiple of 4.
void Blocks(const PhiloxStream& stream, uint32_t block, uint32_t* out, size_t count) {
  stream.FillBits(4 * block, {out, count});
}
#else
using Lanes = hn::ScalableTag<uint64_t>;
using Vector = hn::Vec<Lanes>;
using RoundKeys = std::array<std::array<uint64_t, 2>, 10>;

// Four words of as many counters as a vector has lanes, each in the lower half of a lane: what the upper half holds is
// not read before they are stored.
struct Counters {
  Vector word0;
  Vector word1;
  Vector word2;
  Vector word3;

  Counters(const PhiloxStream& stream, size_t block)
      : word0(hn::Add(hn::Iota(Lanes(), 0), hn::Set(Lanes(), block))),
        word1(hn::Set(Lanes(), stream.counter()[0])),
        word2(hn::Set(Lanes(), stream.counter()[1])),
        word3(hn::Set(Lanes(), stream.counter()[2])) {}

  HWY_INLINE void Turn(const std::array<uint64_t, 2>& key) {
    const Lanes d;
    const hn::Repartition<uint32_t, Lanes> words;
    const auto product0 = hn::MulEven(hn::BitCast(words, word0), hn::BitCast(words, hn::Set(d, 0xD2511F53)));
    const auto product1 = hn::MulEven(hn::BitCast(words, word2), hn::BitCast(words, hn::Set(d, 0xCD9E8D57)));
    word0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), word1), hn::Set(d, key[0]));
    word1 = product1;
    word2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), word3), hn::Set(d, key[1]));
    word3 = product0;
  }

  HWY_INLINE void Store(uint32_t* out) const {
    const Lanes d;
    const auto low = hn::Set(d, 0xFFFFFFFF);
    const auto first = hn::Or(hn::And(word0, low), hn::ShiftLeft<32>(word1));
    const auto second = hn::Or(hn::And(word2, low), hn::ShiftLeft<32>(word3));
    hn::StoreInterleaved2(first, second, d, reinterpret_cast<uint64_t*>(out));
  }
};

// The blocks from `block` on; `count` is a multiple of 4.
void Blocks(const PhiloxStream& stream, uint32_t block, uint32_t* out, size_t count) {
  constexpr size_t kVector = 4 * hn::MaxLanes(Lanes());
  RoundKeys keys;
  std::array<uint32_t, 2> key = stream.key();
  for (auto& round : keys) {
    round = {key[0], key[1]};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  // Two vectors at a time, since a turn waits for the one before.
  const auto two = [&](size_t first, uint32_t* to) HWY_ATTR {
    Counters even(stream, block + first / 4);
    Counters odd(stream, block + (first + kVector) / 4);
    for (const auto& round : keys) {
      even.Turn(round);
      odd.Turn(round);
    }
    even.Store(to);
    odd.Store(to + kVector);
  };
  size_t i = 0;
  for (; i + 2 * kVector <= count; i += 2 * kVector) two(i, out + i);
  if (i == count) return;
  std::array<uint32_t, 2 * kVector> rest;
  two(i, rest.data());
  std::copy_n(rest.begin(), count - i, out + i);
}
#endif

// Calls `use(bits, size, at)` for pieces of at most kChunk numbers, `at` being the place of a piece's first in the
// whole.
template <class Use>
HWY_INLINE void ForChunks(const PhiloxStream& stream, uint64_t first, size_t count, const Use& use) {
  HWY_ALIGN std::array<uint32_t, kChunk> bits;
  for (size_t done = 0; done < count;) {
    const size_t skipped = (first + done) % 4;
    const size_t size = std::min(kChunk - skipped, count - done);
    const auto block = static_cast<uint32_t>((first + done) / 4);
    Blocks(stream, block, bits.data(), (skipped + size + 3) / 4 * 4);
    use(bits.data() + skipped, size, done);
    done += size;
  }
}

// Fills `out` with `transform(d, bits)` of each number.
template <class Transform>
HWY_INLINE void Fill(const PhiloxStream& stream, uint64_t first, std::span<float> out, const Transform& transform) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> u;
  const hn::CappedTag<float, 1> one;
  const hn::RebindToUnsigned<decltype(one)> one_u;
  ForChunks(stream, first, out.size(), [&](const uint32_t* bits, size_t size, size_t at) HWY_ATTR {
    float* to = out.data() + at;
    size_t i = 0;
    for (; i + hn::Lanes(d) <= size; i += hn::Lanes(d)) hn::StoreU(transform(d, hn::LoadU(u, bits + i)), d, to + i);
    for (; i < size; ++i) hn::StoreU(transform(one, hn::LoadU(one_u, bits + i)), one, to + i);
  });
}

template <class D, class V>
HWY_INLINE hn::Vec<D> UniformOf(D d, V bits) {
  const hn::RebindToSigned<D> i;
  const auto upper = hn::ConvertTo(d, hn::BitCast(i, hn::ShiftRight<9>(bits)));
  return hn::Mul(hn::Add(upper, hn::Set(d, 0.5F)), hn::Set(d, 0x1p-23F));
}

void Words(const PhiloxStream& stream, uint64_t first, std::span<uint32_t> out) {
  ForChunks(stream, first, out.size(), [&](const uint32_t* bits, size_t size, size_t at) {
    std::copy(bits, bits + size, out.begin() + static_cast<std::ptrdiff_t>(at));
  });
}

void Uniform(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  Fill(stream, first, out, [](auto d, auto bits) HWY_ATTR { return UniformOf(d, bits); });
}

void Gumbel(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  Fill(stream, first, out,
       [](auto d, auto bits) HWY_ATTR { return hn::Neg(hn::Log(d, hn::Neg(hn::Log(d, UniformOf(d, bits))))); });
}

void Logistic(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  Fill(stream, first, out, [](auto d, auto bits) HWY_ATTR {
    const auto u = UniformOf(d, bits);
    return hn::Log(d, hn::Div(u, hn::Sub(hn::Set(d, 1.0F), u)));
  });
}

// numerator / denominator in r, coefficients by rising power.
template <class D, class V, size_t kA, size_t kB>
HWY_INLINE V Ratio(D d, V r, const std::array<float, kA>& a, const std::array<float, kB>& b) {
  auto numerator = hn::Set(d, a[kA - 1]);
  for (size_t k = kA - 1; k-- > 0;) numerator = hn::MulAdd(numerator, r, hn::Set(d, a[k]));
  auto denominator = hn::Set(d, b[kB - 1]);
  for (size_t k = kB - 1; k-- > 0;) denominator = hn::MulAdd(denominator, r, hn::Set(d, b[k]));
  return hn::Div(numerator, denominator);
}

// Coefficients of AS 241, PPND7.
constexpr std::array<float, 4> kCentreA = {3.3871327179F, 5.0434271938e1F, 1.5929113202e2F, 5.9109374720e1F};
constexpr std::array<float, 4> kCentreB = {1.0F, 1.7895169469e1F, 7.8757757664e1F, 6.7187563600e1F};
constexpr std::array<float, 4> kMiddleA = {1.4234372777F, 2.7568153900F, 1.3067284816F, 1.7023821103e-1F};
constexpr std::array<float, 3> kMiddleB = {1.0F, 7.3700164250e-1F, 1.2021132975e-1F};
constexpr std::array<float, 4> kTailA = {6.6579051150F, 3.0812263860F, 4.2868294337e-1F, 1.7337203997e-2F};
constexpr std::array<float, 3> kTailB = {1.0F, 2.4197894225e-1F, 1.2258202635e-2F};

void Normal(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  Fill(stream, first, out, [](auto d, auto bits) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> i;
    // Distance from the middle, and from the nearer end of (0, 1), each exact before it is rounded.
    const auto middle = hn::BitCast(i, hn::Xor(bits, hn::Set(hn::RebindToUnsigned<decltype(d)>(), 0x80000000U)));
    const auto q = hn::Mul(hn::Add(hn::ConvertTo(d, middle), hn::Set(d, 0.5F)), hn::Set(d, 0x1p-32F));
    const auto lower_half = hn::Lt(middle, hn::Zero(i));
    const auto nearer = hn::IfThenElse(lower_half, hn::BitCast(i, bits), hn::Not(hn::BitCast(i, bits)));
    const auto p = hn::Mul(hn::Add(hn::ConvertTo(d, nearer), hn::Set(d, 0.5F)), hn::Set(d, 0x1p-32F));
    const auto centre = hn::Mul(q, Ratio(d, hn::NegMulAdd(q, q, hn::Set(d, 0.180625F)), kCentreA, kCentreB));
    const auto r = hn::Sqrt(hn::Neg(hn::Log(d, p)));
    const auto near = Ratio(d, hn::Sub(r, hn::Set(d, 1.6F)), kMiddleA, kMiddleB);
    const auto far = Ratio(d, hn::Sub(r, hn::Set(d, 5.0F)), kTailA, kTailB);
    const auto tail = hn::CopySign(hn::IfThenElse(hn::Le(r, hn::Set(d, 5.0F)), near, far), q);
    return hn::IfThenElse(hn::Le(hn::Abs(q), hn::Set(d, 0.425F)), centre, tail);
  });
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(Words);
HWY_EXPORT(Uniform);
HWY_EXPORT(Gumbel);
HWY_EXPORT(Logistic);
HWY_EXPORT(Normal);

void FillBits(const PhiloxStream& stream, uint64_t first, std::span<uint32_t> out) {
  HWY_DYNAMIC_DISPATCH(Words)(stream, first, out);
}

void FillUniform(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Uniform)(stream, first, out);
}

void FillGumbel(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Gumbel)(stream, first, out);
}

void FillLogistic(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Logistic)(stream, first, out);
}

void FillNormal(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Normal)(stream, first, out);
}

}  // namespace genoserve
#endif  // HWY_ONCE
