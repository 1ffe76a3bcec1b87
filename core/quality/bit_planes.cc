#include "core/quality/bit_planes.h"

#include <algorithm>
#include <cstring>

#include "core/genotype/bit_transpose.h"

namespace genoserve {
namespace {

// The bits at even places of a word, packed into its low half.
uint64_t EvenBits(uint64_t word) {
  word &= 0x5555555555555555U;
  word = (word | word >> 1) & 0x3333333333333333U;
  word = (word | word >> 2) & 0x0F0F0F0F0F0F0F0FU;
  word = (word | word >> 4) & 0x00FF00FF00FF00FFU;
  word = (word | word >> 8) & 0x0000FFFF0000FFFFU;
  return (word | word >> 16) & 0x00000000FFFFFFFFU;
}

// Eight bytes from `place` on, with zeros after the end.
uint64_t LoadWord(std::span<const uint8_t> bytes, size_t place) {
  uint64_t word = 0;
  if (place < bytes.size()) std::memcpy(&word, bytes.data() + place, std::min<size_t>(8, bytes.size() - place));
  return word;
}

}  // namespace

BitPlanes::BitPlanes(size_t vectors, size_t length, size_t planes)
    : vectors_(vectors),
      length_(length),
      planes_(planes),
      words_per_plane_((length + 63) / 64),
      words_(vectors * planes * words_per_plane_) {}

void BitPlanes::Fill(size_t vector, std::span<const uint8_t> packed) {
  uint64_t* const plane0 = words_.data() + vector * planes_ * words_per_plane_;
  uint64_t* const plane1 = plane0 + words_per_plane_;
  for (size_t i = 0; i < words_per_plane_; ++i) {
    if (planes_ == 1) {
      plane0[i] = LoadWord(packed, 8 * i);
      continue;
    }
    const uint64_t first = LoadWord(packed, 16 * i);
    const uint64_t second = LoadWord(packed, 16 * i + 8);
    const uint64_t low = EvenBits(first) | EvenBits(second) << 32;
    const uint64_t high = EvenBits(first >> 1) | EvenBits(second >> 1) << 32;
    plane0[i] = low | high;
    plane1[i] = high;
  }
}

BitPlanes BitPlanes::OfRows(const GenotypeMatrix& genotypes) {
  BitPlanes planes(genotypes.rows(), genotypes.variants(), BitsPerGenotype(genotypes.packing()));
  for (size_t row = 0; row < genotypes.rows(); ++row) planes.Fill(row, genotypes.Row(row));
  return planes;
}

BitPlanes BitPlanes::OfVariants(const GenotypeMatrix& genotypes) {
  const size_t bits = BitsPerGenotype(genotypes.packing());
  const size_t stride = RowBytes(genotypes.packing(), genotypes.rows());
  std::vector<uint8_t> transposed(genotypes.variants() * stride);
  TransposeCodes(bits, genotypes.bytes(), genotypes.rows(), genotypes.variants(), genotypes.row_bytes(), transposed,
                 stride);
  BitPlanes planes(genotypes.variants(), genotypes.rows(), bits);
  for (size_t variant = 0; variant < genotypes.variants(); ++variant) {
    planes.Fill(variant, std::span(transposed).subspan(variant * stride, stride));
  }
  return planes;
}

}  // namespace genoserve
