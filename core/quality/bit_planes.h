// Genotypes as planes of single bits, so that counts and distances are counts of bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// One bit a haplotype's allele, or two a diploid genotype: plane 0 holds "at least one ALT", plane 1 "two ALT". The
/// ALT count is the sum of the planes, and the sum over planes of the bits in which two vectors differ is the sum of |x
/// - y| (Manhattan; Hamming of haplotypes). Padding bits are 0. Missing genotypes must not occur. Const methods are
/// thread-safe.
class BitPlanes {
 public:
  /// One vector a row (haplotype or diploid sample), of variants().
  static BitPlanes OfRows(const GenotypeMatrix& genotypes);
  /// One vector a variant, of rows().
  static BitPlanes OfVariants(const GenotypeMatrix& genotypes);

  size_t vectors() const { return vectors_; }
  size_t length() const { return length_; }  ///< genotypes or alleles in a vector
  size_t planes() const { return planes_; }  ///< 1 or 2
  /// Plane `plane` of a vector.
  std::span<const uint64_t> Plane(size_t vector, size_t plane) const {
    return {words_.data() + (vector * planes_ + plane) * words_per_plane_, words_per_plane_};
  }
  /// All planes of a vector, one after another.
  std::span<const uint64_t> Vector(size_t vector) const {
    return {words_.data() + vector * planes_ * words_per_plane_, planes_ * words_per_plane_};
  }

 private:
  BitPlanes(size_t vectors, size_t length, size_t planes);
  // Unpacks one packed vector.
  void Fill(size_t vector, std::span<const uint8_t> packed);

  size_t vectors_ = 0;
  size_t length_ = 0;
  size_t planes_ = 1;
  size_t words_per_plane_ = 0;
  std::vector<uint64_t> words_;
};

}  // namespace genoserve
