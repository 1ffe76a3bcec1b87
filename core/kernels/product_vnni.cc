// The kernels of int8 for AVX-512 VNNI, which Highway 1.0 has no name for.
#include "core/kernels/product.h"
#include "core/kernels/product_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>
#include <utility>

#define GENOSERVE_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace genoserve {
namespace {

constexpr size_t kPanel = PackedLayer::kPanel;
constexpr size_t kLanes = 16;

// Writes the outputs of a row from `first` on.
GENOSERVE_VNNI inline void End(const Int8Ending& ending, size_t row, size_t first, __m512i product, float* outputs) {
  const RowCode& code = ending.codes[row];
  const __m512 sums = __builtin_convertvector(reinterpret_cast<__v16si>(product), __v16sf);
  const __m512 base = _mm512_fmadd_ps(_mm512_set1_ps(code.offset), _mm512_loadu_ps(ending.sum + first),
                                      _mm512_loadu_ps(ending.bias + first));
  const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(code.scale), _mm512_loadu_ps(ending.scale + first));
  _mm512_storeu_ps(outputs + first, _mm512_fmadd_ps(sums, scale, base));
}

template <size_t... kRow>
GENOSERVE_VNNI void Kernel(const void* prepared, const void* weights, size_t steps, const float* start,
                           const Int8Ending* ending, float* outputs, size_t output_stride) {
  constexpr size_t kRows = sizeof...(kRow);
  const auto* inputs = static_cast<const char*>(prepared);
  const auto* fours = static_cast<const uint32_t*>(weights);
  __m512i left[kRows];
  __m512i right[kRows];
  if (start != nullptr) {
    ((left[kRow] = _mm512_loadu_si512(start), right[kRow] = _mm512_loadu_si512(start + kLanes)), ...);
  } else {
    ((left[kRow] = _mm512_loadu_si512(outputs + kRow * output_stride),
      right[kRow] = _mm512_loadu_si512(outputs + kRow * output_stride + kLanes)),
     ...);
  }
  for (size_t i = 0; i < steps; ++i, fours += kPanel, inputs += kStepBytes) {
    const __m512i weights0 = _mm512_load_si512(fours);
    const __m512i weights1 = _mm512_load_si512(fours + kLanes);
    const auto row = [&](size_t at, __m512i& sum0, __m512i& sum1) GENOSERVE_VNNI {
      int four = 0;
      std::memcpy(&four, inputs + at * kPreparedStride, sizeof(four));
      const __m512i input = _mm512_set1_epi32(four);
      sum0 = _mm512_dpbusd_epi32(sum0, input, weights0);
      sum1 = _mm512_dpbusd_epi32(sum1, input, weights1);
    };
    (row(kRow, left[kRow], right[kRow]), ...);
  }
  if (ending != nullptr) {
    (End(*ending, kRow, 0, left[kRow], outputs + kRow * output_stride), ...);
    (End(*ending, kRow, kLanes, right[kRow], outputs + kRow * output_stride), ...);
    return;
  }
  ((_mm512_storeu_si512(outputs + kRow * output_stride, left[kRow]),
    _mm512_storeu_si512(outputs + kRow * output_stride + kLanes, right[kRow])),
   ...);
}

template <size_t... kRow>
constexpr ProductKernel KernelOf(std::index_sequence<kRow...> /*rows*/) {
  return Kernel<kRow...>;
}

constexpr KernelTable kKernels = KernelsUpTo<kMostKernelRows>([](auto rows) { return KernelOf(rows); });

}  // namespace

const KernelTable* NativeInt8Kernels() {
  static const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  return has ? &kKernels : nullptr;
}

}  // namespace genoserve

#else

namespace genoserve {

const KernelTable* NativeInt8Kernels() { return nullptr; }

}  // namespace genoserve
#endif
