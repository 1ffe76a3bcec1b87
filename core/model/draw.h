// What turns the outputs of a network into alleles. The bits of the result depend on the arguments alone: only single
// additions and multiplications in fp32, no libm, no fused multiply-add, the same operations for every element whether
// the compiler vectorises them or not.
#pragma once

#include <cstdint>
#include <span>

namespace genoserve {

/// e^x to about 2e-7 relative, |x| clamped to 87; NaN counts as -87.
float StableExp(float x);

/// Haplotypes: codes[i] = 1 with probability sigmoid(logits[i] + offsets[i]), decided by the upper 23 of bits[i].
/// All spans have the same size.
void DrawAlleles(std::span<const float> logits, std::span<const float> offsets, std::span<const uint32_t> bits,
                 std::span<uint8_t> codes);

/// Haplotypes without a draw: codes[i] = 1 where tanh(logits[i] + offsets[i]) > 0.5.
void ThresholdAlleles(std::span<const float> logits, std::span<const float> offsets, std::span<uint8_t> codes);

/// Diploid genotypes: codes[i] = k with probability softmax(logits0[i], logits1[i], logits2[i])[k], decided by the
/// upper 23 of bits[i]. All spans have the same size.
void DrawGenotypes(std::span<const float> logits0, std::span<const float> logits1, std::span<const float> logits2,
                   std::span<const uint32_t> bits, std::span<uint8_t> codes);

}  // namespace genoserve
