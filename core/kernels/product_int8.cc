// Products of 8-bit numbers, whose sums are exact: the same on every machine and in any order.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/kernels/product.h"
#include "core/kernels/product_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/product_int8.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

constexpr size_t kPanel = PackedLayer::kPanel;

// The code of a row whose inputs lie between two bounds; NaN where one of them is not finite or their distance.
RowCode CodeOf(float lowest, float highest, bool finite) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const float range = highest - lowest;
  if (!finite || !std::isfinite(range)) return {.offset = kNan, .scale = kNan, .inverse = 0};
  if (range < kLeastRange) return {.offset = lowest, .scale = 0, .inverse = 0};
  return {.offset = lowest, .scale = range / 255, .inverse = 255 / range};
}

// The number of one input, where vectors end; the same operations as in vectors.
uint8_t NumberOf(float input, const RowCode& code) {
  const float number = std::nearbyint((input - code.offset) * code.inverse);
  return number > 0 ? static_cast<uint8_t>(std::min(number, 255.0F)) : 0;
}

#if HWY_NATIVE_FMA && HWY_ARCH_X86
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Bytes = hn::Rebind<uint8_t, Floats>;
using Shorts = hn::Repartition<int16_t, Ints>;
using Vector = hn::Vec<Ints>;
constexpr size_t kLanes = hn::MaxLanes(Floats());
// Two sums a row, two weights and an input are all that the registers hold: 32 with AVX-512, else 16.
constexpr size_t kMostRows = kLanes == 16 ? kMostKernelRows : 6;

RowCode Code(const float* inputs, size_t size) {
  const Floats d;
  auto low = hn::Set(d, std::numeric_limits<float>::infinity());
  auto high = hn::Neg(low);
  auto zero = hn::Zero(d);  // NaN once an input is not finite
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const auto x = hn::LoadU(d, inputs + i);
    low = hn::Min(low, x);
    high = hn::Max(high, x);
    zero = hn::MulAdd(x, hn::Zero(d), zero);
  }
  float lowest = hn::GetLane(hn::MinOfLanes(d, low));
  float highest = hn::GetLane(hn::MaxOfLanes(d, high));
  bool finite = hn::AllTrue(d, hn::Eq(zero, hn::Zero(d)));
  for (; i < size; ++i) {
    lowest = std::min(lowest, inputs[i]);
    highest = std::max(highest, inputs[i]);
    finite = finite && std::isfinite(inputs[i]);
  }
  return CodeOf(lowest, highest, finite);
}

void Prepare(const float* inputs, size_t size, const RowCode& code, void* prepared) {
  const Floats d;
  auto* to = static_cast<uint8_t*>(prepared);
  const auto offset = hn::Set(d, code.offset);
  const auto inverse = hn::Set(d, code.inverse);
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const auto number = hn::NearestInt(hn::Mul(hn::Sub(hn::LoadU(d, inputs + i), offset), inverse));
    hn::StoreU(hn::DemoteTo(Bytes(), number), Bytes(), to + i);
  }
  for (; i < size; ++i) to[i] = NumberOf(inputs[i], code);
  for (; i % kStepBytes != 0; ++i) to[i] = 0;
}

// What single rows share of a step: the weights of the inputs of one parity, as 16-bit numbers.
struct Weights {
  hn::Vec<Shorts> left;
  hn::Vec<Shorts> right;
};

// Adds the products of two inputs, two 16-bit numbers, which have 17 bits and do not saturate.
HWY_INLINE void AddPair(uint32_t inputs, const Weights& weights, Vector& left, Vector& right) {
  const Ints d;
  const auto pair = hn::BitCast(Shorts(), hn::Set(d, static_cast<int32_t>(inputs & 0x00FF00FF)));
  auto unused = hn::Zero(d);
  left = hn::ReorderWidenMulAccumulate(d, pair, weights.left, left, unused);
  right = hn::ReorderWidenMulAccumulate(d, pair, weights.right, right, unused);
}

// Writes the outputs of a row from `first` on.
HWY_INLINE void End(const Int8Ending& ending, size_t row, size_t first, Vector product, float* outputs) {
  const Floats d;
  const RowCode& code = ending.codes[row];
  const auto base =
      hn::MulAdd(hn::Set(d, code.offset), hn::LoadU(d, ending.sum + first), hn::LoadU(d, ending.bias + first));
  const auto scale = hn::Mul(hn::Set(d, code.scale), hn::LoadU(d, ending.scale + first));
  hn::StoreU(hn::MulAdd(hn::ConvertTo(d, product), scale, base), d, outputs + first);
}

template <size_t... kRow>
void Kernel(const void* prepared, const void* weights, size_t steps, const float* start, const Int8Ending* ending,
            float* outputs, size_t output_stride) {
  const Ints d;
  const Shorts s;
  const auto* inputs = static_cast<const uint8_t*>(prepared);
  const auto load = [](const float* from) HWY_ATTR { return hn::BitCast(Ints(), hn::LoadU(Floats(), from)); };
  const auto store = [](Vector sum, float* to) HWY_ATTR { hn::StoreU(hn::BitCast(Floats(), sum), Floats(), to); };
  for (size_t part = 0; part < kPanel; part += 2 * kLanes) {
    const auto* from = static_cast<const int32_t*>(weights) + part;
    float* to = outputs + part;
    Vector left[sizeof...(kRow)];
    Vector right[sizeof...(kRow)];
    if (start != nullptr) {
      ((left[kRow] = load(start + part), right[kRow] = load(start + part + kLanes)), ...);
    } else {
      ((left[kRow] = load(to + kRow * output_stride), right[kRow] = load(to + kRow * output_stride + kLanes)), ...);
    }
    for (size_t i = 0; i < steps; ++i, from += kPanel) {
      std::array<uint32_t, sizeof...(kRow)> four;
      (std::memcpy(&four[kRow], inputs + kRow * kPreparedStride + i * kStepBytes, kStepBytes), ...);
      const auto both0 = hn::BitCast(s, hn::Load(d, from));
      const auto both1 = hn::BitCast(s, hn::Load(d, from + kLanes));
      const Weights even = {hn::ShiftRight<8>(hn::ShiftLeft<8>(both0)), hn::ShiftRight<8>(hn::ShiftLeft<8>(both1))};
      (AddPair(four[kRow], even, left[kRow], right[kRow]), ...);
      const Weights odd = {hn::ShiftRight<8>(both0), hn::ShiftRight<8>(both1)};
      (AddPair(four[kRow] >> 8, odd, left[kRow], right[kRow]), ...);
    }
    if (ending != nullptr) {
      (End(*ending, kRow, part, left[kRow], outputs + kRow * output_stride), ...);
      (End(*ending, kRow, part + kLanes, right[kRow], outputs + kRow * output_stride), ...);
      continue;
    }
    ((store(left[kRow], to + kRow * output_stride), store(right[kRow], to + kRow * output_stride + kLanes)), ...);
  }
}

#else
constexpr size_t kMostRows = 1;

// The scalar twins, for a CPU without fused multiply-add.
RowCode Code(const float* inputs, size_t size) {
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -lowest;
  bool finite = true;
  for (size_t i = 0; i < size; ++i) {
    lowest = std::min(lowest, inputs[i]);
    highest = std::max(highest, inputs[i]);
    finite = finite && std::isfinite(inputs[i]);
  }
  return CodeOf(lowest, highest, finite);
}

void Prepare(const float* inputs, size_t size, const RowCode& code, void* prepared) {
  auto* to = static_cast<uint8_t*>(prepared);
  size_t i = 0;
  for (; i < size; ++i) to[i] = NumberOf(inputs[i], code);
  for (; i % kStepBytes != 0; ++i) to[i] = 0;
}

template <size_t kRow>
void Kernel(const void* prepared, const void* weights, size_t steps, const float* start, const Int8Ending* ending,
            float* outputs, size_t /*output_stride*/) {
  const auto* inputs = static_cast<const uint8_t*>(prepared);
  std::array<int32_t, kPanel> sums;
  std::memcpy(sums.data(), start != nullptr ? start : outputs, sizeof(sums));
  for (size_t i = 0; i < steps; ++i) {
    for (size_t j = 0; j < kPanel; ++j) {
      const auto* four = static_cast<const int8_t*>(weights) + (i * kPanel + j) * kStepBytes;
      for (size_t k = 0; k < kStepBytes; ++k) sums[j] += inputs[i * kStepBytes + k] * four[k];
    }
  }
  if (ending == nullptr) {
    std::memcpy(outputs, sums.data(), sizeof(sums));
    return;
  }
  for (size_t j = 0; j < kPanel; ++j) {
    const float base = std::fma(ending->codes[0].offset, ending->sum[j], ending->bias[j]);
    outputs[j] = std::fma(static_cast<float>(sums[j]), ending->codes[0].scale * ending->scale[j], base);
  }
}

#endif

template <size_t... kRow>
constexpr ProductKernel KernelOf(std::index_sequence<kRow...> /*rows*/) {
  return Kernel<kRow...>;
}

ProductKernels Kernels() {
  ProductKernels all = {.block = kPreparedBytes,
                        .most_rows = kMostRows,
                        .kernels = KernelsUpTo<kMostRows>([](auto rows) { return KernelOf(rows); }),
                        .prepare = Prepare,
                        .code = Code};
#if HWY_TARGET <= HWY_AVX3
  if (const auto* native = NativeInt8Kernels(); native != nullptr) all.kernels = *native;
#endif
  return all;
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(Kernels);

ProductKernels Int8Kernels() { return HWY_DYNAMIC_DISPATCH(Kernels)(); }

}  // namespace genoserve
#endif  // HWY_ONCE
