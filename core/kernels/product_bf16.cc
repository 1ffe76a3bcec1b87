// The kernels for AVX-512 BF16, which Highway 1.0 has no name for.
#include "core/kernels/product.h"
#include "core/kernels/product_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#include <utility>

#define GENOSERVE_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

namespace genoserve {
namespace {

constexpr size_t kPanel = PackedLayer::kPanel;
constexpr size_t kLanes = 16;

template <size_t... kRow>
GENOSERVE_BF16 void Kernel(const void* prepared, const void* weights, size_t steps, const float* start,
                           const Int8Ending* /*ending*/, float* outputs, size_t output_stride) {
  constexpr size_t kRows = sizeof...(kRow);
  const auto* inputs = static_cast<const char*>(prepared);
  const auto* pairs = static_cast<const uint32_t*>(weights);
  __m512 left[kRows];
  __m512 right[kRows];
  if (start != nullptr) {
    ((left[kRow] = _mm512_loadu_ps(start), right[kRow] = _mm512_loadu_ps(start + kLanes)), ...);
  } else {
    ((left[kRow] = _mm512_loadu_ps(outputs + kRow * output_stride),
      right[kRow] = _mm512_loadu_ps(outputs + kRow * output_stride + kLanes)),
     ...);
  }
  for (size_t i = 0; i < steps; ++i, pairs += kPanel, inputs += sizeof(uint32_t)) {
    const auto weights0 = reinterpret_cast<__m512bh>(_mm512_load_si512(pairs));
    const auto weights1 = reinterpret_cast<__m512bh>(_mm512_load_si512(pairs + kLanes));
    const auto row = [&](size_t at, __m512& sum0, __m512& sum1) GENOSERVE_BF16 {
      int pair = 0;
      std::memcpy(&pair, inputs + at * kPreparedStride, sizeof(pair));
      const auto input = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      sum0 = _mm512_dpbf16_ps(sum0, weights0, input);
      sum1 = _mm512_dpbf16_ps(sum1, weights1, input);
    };
    (row(kRow, left[kRow], right[kRow]), ...);
  }
  ((_mm512_storeu_ps(outputs + kRow * output_stride, left[kRow]),
    _mm512_storeu_ps(outputs + kRow * output_stride + kLanes, right[kRow])),
   ...);
}

template <size_t... kRow>
constexpr ProductKernel KernelOf(std::index_sequence<kRow...> /*rows*/) {
  return Kernel<kRow...>;
}

GENOSERVE_BF16 void Prepare(const float* inputs, size_t size, const RowCode& /*code*/, void* prepared) {
  auto* to = static_cast<uint16_t*>(prepared);
  size_t i = 0;
  for (; i + 2 * kLanes <= size; i += 2 * kLanes) {
    const auto low = _mm512_loadu_ps(inputs + i);
    const auto high = _mm512_loadu_ps(inputs + i + kLanes);
    _mm512_storeu_si512(to + i, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  }
  for (; i < size; ++i) to[i] = ToBf16(inputs[i]);
  if (size % 2 != 0) to[size] = 0;
}

constexpr ProductKernels kKernels = {.block = kPreparedBytes / sizeof(uint16_t),
                                     .most_rows = kMostKernelRows,
                                     .kernels = KernelsUpTo<kMostKernelRows>([](auto rows) { return KernelOf(rows); }),
                                     .prepare = Prepare};

}  // namespace

const ProductKernels* NativeBf16Kernels() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16");
  return has ? &kKernels : nullptr;
}

}  // namespace genoserve

#else

namespace genoserve {

const ProductKernels* NativeBf16Kernels() { return nullptr; }

}  // namespace genoserve
#endif
