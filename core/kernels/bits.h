// Counts of bits in packed rows, of which distances, kinship and linkage are made.
#pragma once

#include <cstdint>
#include <span>

namespace genoserve {

/// Bits set in `a`.
uint64_t CountBits(std::span<const uint64_t> a);
/// Bits set in both. Sizes must be equal.
uint64_t CountAnd(std::span<const uint64_t> a, std::span<const uint64_t> b);
/// Bits set in one of them only: the Hamming distance. Sizes must be equal.
uint64_t CountXor(std::span<const uint64_t> a, std::span<const uint64_t> b);

}  // namespace genoserve
