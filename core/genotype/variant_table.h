// The variants of a panel: what the columns of a genotype matrix are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// One biallelic variant; the names are those of the VCF columns.
struct VariantRecord {
  std::string contig;    ///< CHROM
  int64_t position = 0;  ///< POS, 1-based
  std::string id;        ///< ID, never empty and never "."
  std::string ref;       ///< REF
  std::string alt;       ///< ALT, the allele that genotypes count

  friend bool operator==(const VariantRecord&, const VariantRecord&) = default;
};

/// A contig as a VCF header tells it. `length` is in base pairs, 0 = unknown.
struct ContigRecord {
  std::string name;
  int64_t length = 0;

  friend bool operator==(const ContigRecord&, const ContigRecord&) = default;
};

/// A range of one contig, 1-based, both ends included; `start` 0 = from its start, `end` 0 = to its end.
struct GenomicRegion {
  std::string contig;
  int64_t start = 0;
  int64_t end = 0;
};

/// Reads "contig", "contig:start-end", "contig:start-" or "contig:position", as samtools does. Commas in numbers are
/// dropped. INVALID_ARGUMENT otherwise.
absl::StatusOr<GenomicRegion> ParseRegion(absl::string_view text);

/// Variants in file order: contigs in blocks, positions not descending within a block. Const methods are thread-safe.
class VariantTable {
 public:
  VariantTable() = default;

  /// Takes variants in file order. An id that is empty, "." or not unique becomes contig:position:ref:alt. Contigs of
  /// variants that `contigs` lacks are added after them. INVALID_ARGUMENT, with the variant named, where positions
  /// descend, a contig comes in two blocks, alleles are empty, or two variants are the same in all of contig,
  /// position, REF and ALT, or one ends after position 2^31 - 1, which is also the most of a contig's length.
  static absl::StatusOr<VariantTable> Create(std::vector<VariantRecord> variants, std::vector<ContigRecord> contigs);

  size_t size() const { return variants_.size(); }
  const VariantRecord& operator[](size_t i) const { return variants_[i]; }
  const std::vector<VariantRecord>& variants() const { return variants_; }
  const std::vector<ContigRecord>& contigs() const { return contigs_; }

  /// SHA-256 over "contig TAB position TAB id TAB ref TAB alt NEWLINE" of each variant; 64 hexadecimal digits.
  std::string Digest() const;

  /// Indices, ascending and each once, of the variants in any of the regions; all where `regions` is empty.
  /// NOT_FOUND, with the region and the contigs that there are, where one of them holds no variant; INVALID_ARGUMENT
  /// where a start is after its end.
  absl::StatusOr<std::vector<size_t>> Find(const std::vector<GenomicRegion>& regions) const;

  /// The variants with these ascending indices; all contigs are kept.
  VariantTable Select(const std::vector<size_t>& indices) const;

  /// A sites-only VCF 4.3: header with contigs, eight columns, INFO ".".
  std::string ToSitesVcf() const;
  /// Reads what ToSitesVcf writes. INVALID_ARGUMENT with the line number otherwise.
  static absl::StatusOr<VariantTable> FromSitesVcf(absl::string_view text);

  friend bool operator==(const VariantTable&, const VariantTable&) = default;

 private:
  std::vector<VariantRecord> variants_;
  std::vector<ContigRecord> contigs_;
};

}  // namespace genoserve
