// Counts of bits in packed rows, of which distances, kinship and linkage are made. Vectorised; the instruction set is
// that of the CPU, the counts are the same on any. A row has less than 2^32 bits.
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

/// CountAnd of `a` with each of counts.size() rows of its size, which stand one after another in `rows`. Faster than
/// one by one. Few rows a call (some 100 KB) keep them in the cache for the next `a`.
void CountAndMany(std::span<const uint64_t> a, std::span<const uint64_t> rows, std::span<uint32_t> counts);
/// The same of CountXor.
void CountXorMany(std::span<const uint64_t> a, std::span<const uint64_t> rows, std::span<uint32_t> counts);

}  // namespace genoserve
