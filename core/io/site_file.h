// Readers of the text files that name the variants of a fileset, line by line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/io/line_reader.h"

namespace genoserve {

/// Not thread-safe.
class SiteFile {
 public:
  virtual ~SiteFile() = default;

  /// PLINK 1 .bim: six columns; A1 (column 5) is ALT, A2 (column 6) REF.
  static absl::StatusOr<std::unique_ptr<SiteFile>> OpenBim(const std::string& path);
  /// PLINK 2 .pvar: a header that begins with #CHROM, meta-information lines before it, or none and the columns of a
  /// .bim.
  static absl::StatusOr<std::unique_ptr<SiteFile>> OpenPvar(const std::string& path);
  /// Oxford .legend: header "id position a0 a1" and maybe more columns; the contig is what stands before ':' in the id,
  /// else "1"; a0 is REF.
  static absl::StatusOr<std::unique_ptr<SiteFile>> OpenLegend(const std::string& path);

  /// A table separated by tabs with the header "contig position id ref alt", as it lies beside a .npy.
  static absl::StatusOr<std::unique_ptr<SiteFile>> OpenVariantTable(const std::string& path);

  /// Goes to the next site; false after the last. INVALID_ARGUMENT with file and line where it is malformed.
  virtual absl::StatusOr<bool> Next() = 0;

  /// REF, and the first ALT.
  const VariantRecord& variant() const { return variant_; }
  /// All ALT alleles, one in most files.
  const std::vector<std::string>& alts() const { return alts_; }
  /// The contigs that the header declares.
  const std::vector<ContigRecord>& contigs() const { return contigs_; }
  /// The file with the line of the site, for messages.
  absl::Status Error(absl::string_view what) const { return lines_->Error(what); }
  const std::string& path() const { return lines_->path(); }

 protected:
  explicit SiteFile(std::unique_ptr<LineReader> lines) : lines_(std::move(lines)) {}

  /// Reads a position from 1 on into variant_.
  absl::Status ReadPosition(absl::string_view text);
  /// Takes one or more ALT alleles; all alleles must be sequences of bases.
  absl::Status TakeAlleles(absl::string_view ref, absl::string_view alts);

  std::unique_ptr<LineReader> lines_;
  VariantRecord variant_;
  std::vector<std::string> alts_;
  std::vector<ContigRecord> contigs_;
};

/// How many lines a text file has, as LineReader counts them. Reads it once.
absl::StatusOr<size_t> CountLines(const std::string& path);

}  // namespace genoserve
