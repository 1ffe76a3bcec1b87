// Packed genotypes, sample-major: the form they have in memory, on the wire and in a tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace genoserve {

/// How the genotypes of a row are packed. A row starts on a byte, its first variant is in the lowest bits, and the
/// bits that pad it are 0.
enum class Packing {
  kDiploid2Bit,    ///< 2 bits a genotype, the count of ALT alleles 0, 1, 2; 3 = missing. One row a sample.
  kHaplotype1Bit,  ///< 1 bit an allele, 0 = REF, 1 = ALT. Two rows a sample, 2i and 2i + 1. No missing alleles.
};

/// The code of a missing genotype in Packing::kDiploid2Bit.
inline constexpr int kMissingGenotype = 3;

/// Rows a sample has: 1 or 2.
constexpr size_t RowsPerSample(Packing packing) { return packing == Packing::kHaplotype1Bit ? 2 : 1; }

/// Bits of one genotype or allele: 2 or 1.
constexpr size_t BitsPerGenotype(Packing packing) { return packing == Packing::kHaplotype1Bit ? 1 : 2; }

/// Bytes of one packed row.
constexpr size_t RowBytes(Packing packing, size_t variants) { return (variants * BitsPerGenotype(packing) + 7) / 8; }

/// A matrix of rows x variants. Copyable; const methods are thread-safe, and different rows may be written from
/// different threads.
class GenotypeMatrix {
 public:
  GenotypeMatrix() = default;
  /// All genotypes 0. `rows` must be a multiple of RowsPerSample(packing).
  GenotypeMatrix(Packing packing, size_t rows, size_t variants);

  Packing packing() const { return packing_; }
  size_t rows() const { return rows_; }
  size_t variants() const { return variants_; }
  /// rows() / RowsPerSample.
  size_t samples() const { return rows_ / RowsPerSample(packing_); }
  /// Bytes of one row.
  size_t row_bytes() const { return row_bytes_; }

  /// Gives it another size, in the memory that it has where that suffices. Rows keep what they hold where packing and
  /// width stay as they are; new ones, and else all, are 0. `rows` must be a multiple of RowsPerSample(packing).
  void Resize(Packing packing, size_t rows, size_t variants);

  /// The code at a place: 0 to 3, or 0 to 1. Places must be inside.
  int Get(size_t row, size_t variant) const {
    const size_t bits = BitsPerGenotype(packing_);
    const size_t bit = variant * bits;
    return (bytes_[row * row_bytes_ + bit / 8] >> (bit % 8)) & ((1 << bits) - 1);
  }
  /// Sets the code at a place.
  void Set(size_t row, size_t variant, int code) {
    const size_t bits = BitsPerGenotype(packing_);
    const size_t bit = variant * bits;
    uint8_t& byte = bytes_[row * row_bytes_ + bit / 8];
    const int mask = ((1 << bits) - 1) << (bit % 8);
    byte = static_cast<uint8_t>((byte & ~mask) | ((code << (bit % 8)) & mask));
  }

  /// The packed bytes of a row.
  std::span<const uint8_t> Row(size_t row) const { return {bytes_.data() + row * row_bytes_, row_bytes_}; }
  std::span<uint8_t> MutableRow(size_t row) { return {bytes_.data() + row * row_bytes_, row_bytes_}; }

  /// The packed bytes of all rows, one after another.
  std::span<const uint8_t> bytes() const { return bytes_; }
  std::span<uint8_t> mutable_bytes() { return bytes_; }

  /// Writes one code a byte into `codes`, whose size must be variants().
  void UnpackRow(size_t row, std::span<uint8_t> codes) const;
  /// Packs one code a byte; codes above the packing's range lose their high bits.
  void PackRow(size_t row, std::span<const uint8_t> codes);

  /// Whether every padding bit is 0, and the matrix has rows of just this size.
  bool PaddingIsZero() const;

  /// The samples with these indices, in their order.
  GenotypeMatrix SelectSamples(std::span<const size_t> samples) const;
  /// Drops all samples but these, whose indices must ascend, without a copy. Memory is kept for those that went.
  void KeepSamples(std::span<const size_t> samples);
  /// The variants with these indices, in their order.
  GenotypeMatrix SelectVariants(std::span<const size_t> variants) const;
  /// Diploid genotypes: alleles of both haplotypes added; a copy where they are diploid already.
  GenotypeMatrix ToDiploid() const&;
  /// The same in the memory of this matrix.
  GenotypeMatrix ToDiploid() &&;

  friend bool operator==(const GenotypeMatrix&, const GenotypeMatrix&) = default;

 private:
  Packing packing_ = Packing::kDiploid2Bit;
  size_t rows_ = 0;
  size_t variants_ = 0;
  size_t row_bytes_ = 0;
  std::vector<uint8_t> bytes_;
};

/// Unpacks one packed row into one code a byte.
void UnpackCodes(Packing packing, std::span<const uint8_t> row, std::span<uint8_t> codes);
/// Unpacks one packed row into floats, about 4 times as fast as by way of UnpackCodes.
void UnpackFloats(Packing packing, std::span<const uint8_t> row, std::span<float> codes);
/// Packs one code a byte into a row of RowBytes(packing, codes.size()) bytes; padding bits are set to 0.
void PackCodes(Packing packing, std::span<const uint8_t> codes, std::span<uint8_t> row);

}  // namespace genoserve
