// Writers of synthetic cohorts, one interface for all formats.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"

namespace genoserve {

/// The formats that a cohort can be written in.
enum class CohortFormat { kVcf, kVcfGz, kBcf, kBed };

/// What a file tells about itself besides its genotypes.
struct CohortDescription {
  VariantTable variants;
  Packing packing = Packing::kDiploid2Bit;  ///< of the rows that will be appended; haplotypes are written phased
  int64_t cohort_size = 0;                  ///< samples of the whole cohort, for the width of the sample names
  int64_t first_sample = 0;                 ///< index in the cohort of the first sample of this file
  int64_t sample_count = 0;                 ///< samples of this file, at least 1
  /// Key and value pairs for the header's "##synthetic=<...>" line: Model, ModelVersion, Seed, ManifestSha256.
  std::vector<std::pair<std::string, std::string>> provenance;
};

/// Takes rows in order, in batches of any size, with memory bounded whatever the number of samples. Nothing stands
/// under the final name until Close has succeeded; without it the destructor removes what was written.
/// Not thread-safe.
class CohortWriter {
 public:
  virtual ~CohortWriter() = default;

  /// Appends whole samples; packing and variants must be those of the description. RESOURCE_EXHAUSTED on a full disk.
  virtual absl::Status Append(const GenotypeMatrix& rows) = 0;

  /// Finishes the files and gives them their final names. FAILED_PRECONDITION where samples are missing.
  virtual absl::Status Close() = 0;
};

/// Opens a writer. `path` is a file, "-" for standard output (VCF, VCF.gz or BCF), or for kBed the prefix of .bed,
/// .bim and .fam. VCF.gz and BCF files get an index (.csi). Temporary files lie beside the final ones, or in $TMPDIR
/// for standard output.
absl::StatusOr<std::unique_ptr<CohortWriter>> OpenCohortWriter(CohortFormat format, const std::string& path,
                                                               CohortDescription description);

/// The format of a path by its suffix: .vcf, .vcf.gz, .bcf, .bed; INVALID_ARGUMENT with the suffixes otherwise.
absl::StatusOr<CohortFormat> FormatOfPath(absl::string_view path);

/// The name of the sample with this index in a cohort: "SYN" and the index + 1, zero-padded to 6 digits or as many as
/// the cohort size has.
std::string SyntheticSampleName(int64_t index, int64_t cohort_size);

}  // namespace genoserve
