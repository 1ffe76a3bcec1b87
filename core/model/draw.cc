// Compiled with -ffp-contract=off, see the header.
#include "core/model/draw.h"

#include <cstddef>

#include "core/model/stable_exp.h"

namespace genoserve {
namespace {

// The middle of the interval of [0, 1) that the upper 23 bits stand for; exact.
[[gnu::always_inline]] inline float Uniform(uint32_t bits) {
  return (static_cast<float>(static_cast<int32_t>(bits >> 9)) + 0.5F) * 0x1p-23F;
}

GENOSERVE_VECTOR_CLONES
void DrawAllelesLoop(const float* __restrict logits, const float* __restrict offsets, const uint32_t* __restrict bits,
                     uint8_t* __restrict codes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    // u < 1 / (1 + e^-x), without the division.
    const float scaled = Uniform(bits[i]) * (1.0F + StableExpInline(-(logits[i] + offsets[i])));
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
    const float weight0 = StableExpInline(logits0[i] - highest);
    const float up_to_1 = weight0 + StableExpInline(logits1[i] - highest);
    const float scaled = Uniform(bits[i]) * (up_to_1 + StableExpInline(logits2[i] - highest));
    codes[i] = static_cast<uint8_t>((scaled >= weight0 ? 1 : 0) + (scaled >= up_to_1 ? 1 : 0));
  }
}

}  // namespace

float StableExp(float x) { return StableExpInline(x); }

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
