// Filling in of missing alleles by draws that are always the same.
#pragma once

#include <cstdint>
#include <span>

#include "absl/status/statusor.h"

namespace genoserve {

/// An allele that was not called, beside 0 = REF and 1 = ALT.
inline constexpr uint8_t kMissingAllele = 2;

/// Draws the missing alleles of one variant. `alleles` holds two alleles a sample, one a byte. Each missing one becomes
/// ALT with probability (ALT alleles / called alleles), by the number `variant` of the Philox stream with seed 0,
/// the sample's index and its haplotype, and exact integer arithmetic. Returns how many samples had a missing allele.
/// INVALID_ARGUMENT where no allele at all is called.
absl::StatusOr<int64_t> ImputeAlleles(uint32_t variant, std::span<uint8_t> alleles);

}  // namespace genoserve
