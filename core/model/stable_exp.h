// The exponential of draws and of calibration, inline for loops that the compiler vectorises.
#pragma once

#include <bit>
#include <cstdint>

// Marks a loop that is compiled for several instruction sets, one of which is chosen when the program is loaded.
// Sanitizers do not bear such functions.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define GENOSERVE_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GENOSERVE_VECTOR_CLONES
#endif

namespace genoserve {

/// e^x to about 2e-7 relative, |x| clamped to 87; NaN counts as -87. By additions and multiplications in fp32 alone, so
/// that files compiled with -ffp-contract=off get the same bits from every instruction set.
[[gnu::always_inline]] static inline float StableExpInline(float x) {
  // Cephes' expf (Moshier): x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, and 2^n by its bits. Adding and
  // taking away 1.5 * 2^23 rounds to the next integer, which the low bits of the sum then hold.
  x = x > -87.0F ? x : -87.0F;
  x = x < 87.0F ? x : 87.0F;
  const float shifted = x * 1.44269504F + 12582912.0F;
  const float n = shifted - 12582912.0F;
  float r = x - n * 0.693359375F;
  r = r + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  const float value = p * (r * r) + r + 1.0F;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - 0x4B400000;
  return value * std::bit_cast<float>((exponent + 127) << 23);
}

}  // namespace genoserve
