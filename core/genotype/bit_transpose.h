// Turns packed genotypes from sample-major to variant-major and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace genoserve {

/// Transposes a matrix of packed codes of `bits` 1 or 2. `from` has `rows` rows of `from_stride` bytes, each with
/// `columns` codes, the first in the lowest bits; `to` gets `columns` rows of `to_stride` bytes with `rows` codes each.
/// A stride is at least the bytes that a row needs; the bits of the last of these bytes that hold no code become 0,
/// bytes beyond stay as they are. The two must not overlap.
void TransposeCodes(size_t bits, std::span<const uint8_t> from, size_t rows, size_t columns, size_t from_stride,
                    std::span<uint8_t> to, size_t to_stride);

}  // namespace genoserve
