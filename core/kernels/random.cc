// Compiled with -ffp-contract=off: a multiplication and an addition are one operation where MulAdd says so only.
#include "core/kernels/random.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "core/kernels/normal.h"

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
// not read before they are stored. Even lanes have the first half of the blocks and odd lanes the second, so that
// interleaving brings them in order.
struct Counters {
  Vector word0;
  Vector word1;
  Vector word2;
  Vector word3;

  Counters() = default;
  Counters(const PhiloxStream& stream, size_t block)
      : word0(hn::Add(hn::Add(hn::ShiftRight<1>(hn::Iota(Lanes(), 0)),
                              hn::OddEven(hn::Set(Lanes(), hn::MaxLanes(Lanes()) / 2), hn::Zero(Lanes()))),
                      hn::Set(Lanes(), block))),
        word1(hn::Set(Lanes(), stream.counter()[0])),
        word2(hn::Set(Lanes(), stream.counter()[1])),
        word3(hn::Set(Lanes(), stream.counter()[2])) {}

  HWY_INLINE void Turn(const std::array<uint64_t, 2>& key) {
    const Lanes d;
    const Words32 words;
    const auto product0 = hn::MulEven(hn::BitCast(words, word0), hn::BitCast(words, hn::Set(d, 0xD2511F53)));
    const auto product1 = hn::MulEven(hn::BitCast(words, word2), hn::BitCast(words, hn::Set(d, 0xCD9E8D57)));
    word0 = hn::Xor3(hn::Set(d, key[0]), hn::ShiftRight<32>(product1), word1);
    word1 = product1;
    word2 = hn::Xor3(hn::Set(d, key[1]), hn::ShiftRight<32>(product0), word3);
    word3 = product0;
  }

  HWY_INLINE void Store(uint32_t* out) const {
    const Lanes d;
    const auto first = Pairs(word0, word1);
    const auto second = Pairs(word2, word3);
    hn::StoreU(hn::InterleaveLower(d, first, second), d, reinterpret_cast<uint64_t*>(out));
    hn::StoreU(hn::InterleaveUpper(d, first, second), d, reinterpret_cast<uint64_t*>(out) + hn::Lanes(d));
  }

 private:
  using Words32 = hn::Repartition<uint32_t, Lanes>;

  static HWY_INLINE Vector Pairs(Vector low, Vector high) {
    const Words32 words;
    return hn::BitCast(Lanes(), hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(high)), hn::BitCast(words, low)));
  }
};

// The numbers that a vector of counters gives.
constexpr size_t kPerVector = 4 * hn::MaxLanes(Lanes());

// As many vectors at a time as the registers hold, since a turn waits for the one before.
constexpr size_t kVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

// Fills `out` with the blocks from `block` on, which are those of `kCount` vectors.
template <size_t kCount>
HWY_INLINE void FillBlocks(const PhiloxStream& stream, const RoundKeys& keys, size_t block, uint32_t* out) {
  std::array<Counters, kCount> counters;
  for (size_t v = 0; v < kCount; ++v) counters[v] = Counters(stream, block + v * kPerVector / 4);
  for (const auto& round : keys) {
    for (Counters& vector : counters) vector.Turn(round);
  }
  for (size_t v = 0; v < kCount; ++v) counters[v].Store(out + v * kPerVector);
}

// The blocks from `block` on; `count` is a multiple of 4.
void Blocks(const PhiloxStream& stream, uint32_t block, uint32_t* out, size_t count) {
  RoundKeys keys;
  std::array<uint32_t, 2> key = stream.key();
  for (auto& round : keys) {
    round = {key[0], key[1]};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  size_t done = 0;
  for (; done + kVectors * kPerVector <= count; done += kVectors * kPerVector) {
    FillBlocks<kVectors>(stream, keys, block + done / 4, out + done);
  }
  while (done < count) {
    std::array<uint32_t, 2 * kPerVector> rest;
    FillBlocks<2>(stream, keys, block + done / 4, rest.data());
    const size_t size = std::min(rest.size(), count - done);
    std::copy_n(rest.begin(), size, out + done);
    done += size;
  }
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

#if HWY_TARGET <= HWY_AVX2
// NormalOf, operation by operation, of many numbers at a time. What is farther out than NormalTable::kFar gets no value
// of any use.
class NearNormals {
 public:
  using Floats = hn::ScalableTag<float>;
  using Ints = hn::RebindToSigned<Floats>;
  static constexpr size_t kLanes = hn::MaxLanes(Floats());

  HWY_INLINE NearNormals() {
    for (size_t power = 0; power <= NormalTable::kDegree; ++power) {
      const float* near = NormalTable::Get().coefficients[power].data() + NormalTable::kFirstNear;
      low_[power] = hn::LoadU(Floats(), near);
      high_[power] = hn::LoadU(Floats(), near + 16 - kLanes);
    }
  }

  // The distance of each number from the nearer end.
  static HWY_INLINE hn::Vec<Ints> FromEnd(hn::Vec<Ints> numbers) {
    return hn::Xor(numbers, hn::ShiftRight<31>(numbers));
  }

  HWY_INLINE hn::Vec<Floats> operator()(hn::Vec<Ints> numbers) const {
    const Floats d;
    const Ints i;
    const auto middle = hn::Xor(numbers, hn::Set(i, std::numeric_limits<int32_t>::min()));
    const auto x = hn::Add(hn::ConvertTo(d, middle), hn::Set(d, 0.5F));
    const auto u = hn::MulAdd(hn::ConvertTo(d, FromEnd(numbers)), hn::Set(d, 0x1p-16F), hn::Set(d, 0x1p-17F));
    const auto bits = hn::BitCast(i, u);
    const auto octave = hn::IndicesFromVec(d, hn::And(hn::ShiftRight<23>(bits), hn::Set(i, kLanes - 1)));
    // Bit 3 of the exponent, which chooses among sixteen where a vector has eight.
    const auto high = hn::BitCast(d, hn::ShiftLeft<5>(bits));
    const auto coefficient = [&](size_t power) HWY_ATTR {
      const auto low = hn::TableLookupLanes(low_[power], octave);
      if constexpr (kLanes == 16) return low;
      return hn::IfNegativeThenElse(high, hn::TableLookupLanes(high_[power], octave), low);
    };
    auto ratio = coefficient(NormalTable::kDegree);
    for (size_t power = NormalTable::kDegree; power-- > 0;) ratio = hn::MulAdd(ratio, u, coefficient(power));
    return hn::Mul(x, ratio);
  }

 private:
  // The coefficients of u^0 to u^6 in the first octaves that are near and in the last ones.
  std::array<hn::Vec<Floats>, NormalTable::kDegree + 1> low_;
  std::array<hn::Vec<Floats>, NormalTable::kDegree + 1> high_;
};

void Normal(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  const NearNormals::Floats d;
  const NearNormals::Ints i;
  constexpr size_t kLanes = NearNormals::kLanes;
  const NearNormals normals;
  ForChunks(stream, first, out.size(), [&](const uint32_t* bits, size_t size, size_t at) HWY_ATTR {
    float* to = out.data() + at;
    auto nearest = hn::Set(i, std::numeric_limits<int32_t>::max());
    const auto take = [&](const uint32_t* from, float* values) HWY_ATTR {
      const auto numbers = hn::BitCast(i, hn::LoadU(hn::RebindToUnsigned<NearNormals::Floats>(), from));
      nearest = hn::Min(nearest, NearNormals::FromEnd(numbers));
      hn::StoreU(normals(numbers), d, values);
    };
    size_t done = 0;
    for (; done + kLanes <= size; done += kLanes) take(bits + done, to + done);
    if (done < size) {
      std::array<uint32_t, kLanes> numbers;
      std::array<float, kLanes> values;
      numbers.fill(0x80000000U);
      std::copy(bits + done, bits + size, numbers.begin());
      take(numbers.data(), values.data());
      std::copy_n(values.begin(), size - done, to + done);
    }
    if (hn::AllFalse(i, hn::Lt(nearest, hn::Set(i, static_cast<int32_t>(NormalTable::kFar))))) return;
    for (size_t k = 0; k < size; ++k) {
      if (std::min(bits[k], ~bits[k]) < NormalTable::kFar) to[k] = NormalOf(bits[k]);
    }
  });
}
#else
void Normal(const PhiloxStream& stream, uint64_t first, std::span<float> out) {
  ForChunks(stream, first, out.size(), [&](const uint32_t* bits, size_t size, size_t at) {
    std::transform(bits, bits + size, out.begin() + static_cast<std::ptrdiff_t>(at), NormalOf);
  });
}
#endif

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
