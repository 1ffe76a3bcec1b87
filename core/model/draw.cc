// Compiled with -ffp-contract=off, see the header.
#include "core/model/draw.h"

#include <bit>
#include <cstddef>

// One loop, compiled for several instruction sets and chosen when the program is loaded; the results are the same.
// Sanitizers do not bear such functions.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define GENOSERVE_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GENOSERVE_VECTOR_CLONES
#endif

namespace genoserve {
namespace {

// Cephes' expf (Moshier): x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, and 2^n by its bits. Adding and
// taking away 1.5 * 2^23 rounds to the next integer, which the low bits of the sum then hold.
[[gnu::always_inline]] inline float Exp(float x) {
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

// The middle of the interval of [0, 1) that the upper 23 bits stand for; exact.
[[gnu::always_inline]] inline float Uniform(uint32_t bits) {
  return (static_cast<float>(static_cast<int32_t>(bits >> 9)) + 0.5F) * 0x1p-23F;
}

GENOSERVE_VECTOR_CLONES
void DrawAllelesLoop(const float* __restrict logits, const float* __restrict offsets, const uint32_t* __restrict bits,
                     uint8_t* __restrict codes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    // u < 1 / (1 + e^-x), without the division.
    const float scaled = Uniform(bits[i]) * (1.0F + Exp(-(logits[i] + offsets[i])));
    codes[i] = scaled < 1.0F ? 1 : 0;
  }
}

GENOSERVE_VECTOR_CLONES
void ThresholdAllelesLoop(const float* __restrict logits, const float* __restrict offsets, uint8_t* __restrict codes,
                          size_t size) {
  constexpr float kAtanhHalf = 0.54930614433405489F;
  for (size_t i = 0; i < size; ++i) codes[i] = logits[i] + offsets[i] > kAtanhHalf ? 1 : 0;
}

GENOSERVE_VECTOR_CLONES
void DrawGenotypesLoop(const float* __restrict logits0, const float* __restrict logits1,
                       const float* __restrict logits2, const uint32_t* __restrict bits, uint8_t* __restrict codes,
                       size_t size) {
  for (size_t i = 0; i < size; ++i) {
    const float higher = logits0[i] > logits1[i] ? logits0[i] : logits1[i];
    const float highest = higher > logits2[i] ? higher : logits2[i];
    const float weight0 = Exp(logits0[i] - highest);
    const float up_to_1 = weight0 + Exp(logits1[i] - highest);
    const float scaled = Uniform(bits[i]) * (up_to_1 + Exp(logits2[i] - highest));
    codes[i] = static_cast<uint8_t>((scaled >= weight0 ? 1 : 0) + (scaled >= up_to_1 ? 1 : 0));
  }
}

}  // namespace

float StableExp(float x) { return Exp(x); }

void DrawAlleles(std::span<const float> logits, std::span<const float> offsets, std::span<const uint32_t> bits,
                 std::span<uint8_t> codes) {
  DrawAllelesLoop(logits.data(), offsets.data(), bits.data(), codes.data(), codes.size());
}

void ThresholdAlleles(std::span<const float> logits, std::span<const float> offsets, std::span<uint8_t> codes) {
  ThresholdAllelesLoop(logits.data(), offsets.data(), codes.data(), codes.size());
}

void DrawGenotypes(std::span<const float> logits0, std::span<const float> logits1, std::span<const float> logits2,
                   std::span<const uint32_t> bits, std::span<uint8_t> codes) {
  DrawGenotypesLoop(logits0.data(), logits1.data(), logits2.data(), bits.data(), codes.data(), codes.size());
}

}  // namespace genoserve
