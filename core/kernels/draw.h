// What turns the outputs of a network into packed genotypes, in one pass: random numbers, decisions and bits. The bytes
// depend on the arguments alone and are the same on every machine: single additions and multiplications in fp32, no
// libm, no fused multiply-add, the same operations for every variant wherever it stands.
//
// Each function handles a run of variants of one row, the first of which starts a byte, and writes whole bytes, the
// unused bits of the last one as 0: the packing of core/genotype/genotype_matrix.h. `first_number` is the number of the
// first variant's draw in `stream`, a multiple of 4: the index of the variant in the whole row. Spans of one call have
// the same size.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/philox.h"

namespace genoserve {

/// Haplotypes, 1 bit a variant: 1 with probability sigmoid(logits[i] + offsets[i]), decided by the upper 23 bits of the
/// variant's number. Without offsets they count as 0.
void DrawAndPackAlleles(std::span<const float> logits, std::span<const float> offsets, const PhiloxStream& stream,
                        uint64_t first_number, uint8_t* packed);

/// Haplotypes without a draw: 1 where tanh(logits[i] + offsets[i]) > 0.5. Without offsets they count as 0.
void ThresholdAndPackAlleles(std::span<const float> logits, std::span<const float> offsets, uint8_t* packed);

/// Diploid genotypes, 2 bits a variant: k with probability softmax(logits0[i], logits1[i], logits2[i])[k], decided by
/// the upper 23 bits of the variant's number.
void DrawAndPackGenotypes(std::span<const float> logits0, std::span<const float> logits1,
                          std::span<const float> logits2, const PhiloxStream& stream, uint64_t first_number,
                          uint8_t* packed);

}  // namespace genoserve
