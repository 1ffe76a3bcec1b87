#include "core/genotype/bit_transpose.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace genoserve {
namespace {

/// Transposes a square block of 64 / kBits codes a side, one row a word, by swapping ever smaller quarters (Warren,
/// "Hacker's Delight", section 7-3), which ends at the width of a code.
template <size_t kBits>
void TransposeBlock(std::array<uint64_t, 64 / kBits>& block) {
  constexpr size_t kSide = 64 / kBits;
  uint64_t low = 0x00000000FFFFFFFF;
  for (size_t half = kSide / 2; half > 0; half /= 2) {
    const size_t shift = half * kBits;
    // Two loops, so that the inner one becomes vector instructions.
    for (size_t first = 0; first < kSide; first += 2 * half) {
      for (size_t row = first; row < first + half; ++row) {
        const uint64_t swap = ((block[row] >> shift) ^ block[row + half]) & low;
        block[row] ^= swap << shift;
        block[row + half] ^= swap;
      }
    }
    low ^= low << (shift / 2);
  }
}

// Words are loaded and stored as bytes, first code in the lowest bits: this needs a little-endian machine.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// Columns that are finished before the next ones: few enough that the lines of `to` which they are written to stay in
// the cache from one row of blocks to the next, however long its rows are.
constexpr size_t kColumnsATurn = 512;

template <size_t kBits>
void Transpose(const uint8_t* from, size_t rows, size_t columns, size_t from_stride, uint8_t* to, size_t to_stride) {
  constexpr size_t kSide = 64 / kBits;
  std::array<uint64_t, kSide> block;
  for (size_t first = 0; first < columns; first += kColumnsATurn) {
    const size_t end = std::min(columns, first + kColumnsATurn);
    for (size_t row = 0; row < rows; row += kSide) {
      const size_t block_rows = std::min(kSide, rows - row);
      const size_t to_bytes = (block_rows * kBits + 7) / 8;
      for (size_t column = first; column < end; column += kSide) {
        const size_t block_columns = std::min(kSide, end - column);
        const size_t from_bytes = (block_columns * kBits + 7) / 8;
        block.fill(0);
        for (size_t i = 0; i < block_rows; ++i) {
          std::memcpy(&block[i], from + (row + i) * from_stride + column * kBits / 8, from_bytes);
        }
        TransposeBlock<kBits>(block);
        for (size_t i = 0; i < block_columns; ++i) {
          std::memcpy(to + (column + i) * to_stride + row * kBits / 8, &block[i], to_bytes);
        }
      }
    }
  }
}

}  // namespace

void TransposeCodes(size_t bits, std::span<const uint8_t> from, size_t rows, size_t columns, size_t from_stride,
                    std::span<uint8_t> to, size_t to_stride) {
  if (bits == 1) {
    Transpose<1>(from.data(), rows, columns, from_stride, to.data(), to_stride);
  } else {
    Transpose<2>(from.data(), rows, columns, from_stride, to.data(), to_stride);
  }
}

}  // namespace genoserve
