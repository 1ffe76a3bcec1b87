// The readers of the formats, each of which OpenVariantReader chooses among, and what they share.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/io/variant_reader.h"

namespace genoserve {

/// What readers share: what stays as it was when the files were opened, and that an error, once told, is told again.
class OpenedReader : public VariantReader {
 public:
  absl::StatusOr<bool> Next() final {
    GENOSERVE_RETURN_IF_ERROR(failed_);
    absl::StatusOr<bool> more = Advance();
    failed_ = more.status();
    return more;
  }

  const std::vector<std::string>& samples() const override { return samples_; }
  const std::vector<uint8_t>& sexes() const override { return sexes_; }
  const std::vector<ContigRecord>& contigs() const override { return contigs_; }
  std::optional<size_t> variant_count() const override { return variant_count_; }
  const std::string& variants_file() const override { return variants_file_; }

 protected:
  std::vector<std::string> samples_;
  std::vector<uint8_t> sexes_;
  std::vector<ContigRecord> contigs_;
  std::optional<size_t> variant_count_;
  std::string variants_file_;

 private:
  /// Next, where no error came before.
  virtual absl::StatusOr<bool> Advance() = 0;

  absl::Status failed_;
};

/// A VCF, VCF.gz or BCF, by htslib.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenVcfReader(const std::string& path,
                                                             const VariantReaderOptions& options);

/// PLINK 1: `prefix`.bed, .bim and .fam. The .bim is read line by line.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenBedReader(const std::string& prefix);

/// PLINK 2: `prefix`.pgen, .pvar and .psam; storage modes 02 and 10. Hard calls and their phase; dosages are passed
/// over.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenPgenReader(const std::string& prefix,
                                                              const VariantReaderOptions& options);

/// A .hapt and its .legend. The haplotypes are held in memory, packed: a sixteenth of the file's size.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenHaptReader(const std::string& path, const std::string& legend_path);

/// Oxford .hap (two columns a sample: 0, 1, "?" = missing, and "-" for the second of a haploid call), .legend and
/// .sample. All calls have a phase. Any of the files may be gzipped.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenHapReader(const std::string& path, const std::string& legend_path,
                                                             const std::string& sample_path);

/// Oxford .haps, of which each line begins with contig, id, position, a0 = REF and a1 = ALT, and its .sample. The first
/// column may be the "CONTIG:POSITION_REF_ALT" of bcftools.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenHapsReader(const std::string& path, const std::string& sample_path);

/// `prefix`.npy, int8 with a row for each sample (0 to 2, -1 = missing) or for each haplotype (0 and 1, phased), with
/// .variants.tsv and .samples.tsv as the writer puts them beside it.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenNpyReader(const std::string& prefix);

/// A folder of VCF Zarr on Zarr 2, of which the chunks are zlib streams or not compressed, as the writer makes it.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenZarrReader(const std::string& folder);

}  // namespace genoserve
