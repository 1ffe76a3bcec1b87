// Writers of cohorts, one interface for all formats.
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
#include "core/io/variant_segment.h"

namespace genoserve {

/// The formats that a cohort can be written in.
enum class CohortFormat {
  kVcf,
  kVcfGz,  ///< BGZF, with an index
  kBcf,    ///< with an index
  kBed,    ///< PLINK 1: .bed, .bim, .fam
  kPgen,   ///< PLINK 2: .pgen, .pvar, .psam; haplotypes phased
  kHap,    ///< IMPUTE2: .hap, .legend, .sample; haplotypes only
  kHaps,   ///< SHAPEIT: .haps, .sample; haplotypes only
  kHapt,   ///< .hapt and .legend: a line for each haplotype; haplotypes only
  kNpy,    ///< NumPy: int8, a row for each sample or haplotype, -1 = missing; .variants.tsv and .samples.tsv beside it
  kZarr,   ///< VCF Zarr 0.4 on Zarr 2, a folder
};

/// The index of a VCF.gz; a BCF always has a CSI.
enum class VariantIndex { kCsi, kTbi };

/// Whose habits Oxford files follow.
enum class OxfordLayout {
  kPlink2,    ///< .sample "ID_1 ID_2 missing sex"; the second column of a .haps is the variant's id
  kBcftools,  ///< the .sample of a .hap is "sample population group sex"; that column is CONTIG:POSITION_REF_ALT
};

/// Sexes as CohortDescription has them, and as .fam, .psam and .sample write them.
enum Sex : uint8_t { kUnknownSex = 0, kMale = 1, kFemale = 2 };

/// What a file tells about itself besides its genotypes.
struct CohortDescription {
  VariantTable variants;
  Packing packing = Packing::kDiploid2Bit;  ///< of the rows that will be appended; haplotypes are written phased
  int64_t cohort_size = 0;                  ///< samples of the whole cohort, for the width of the sample names
  int64_t first_sample = 0;                 ///< index in the cohort of the first sample of this file
  int64_t sample_count = 0;                 ///< samples of this file, at least 1
  /// Key and value pairs for the header's "##synthetic=<...>" line: Model, ModelVersion, Seed, ManifestSha256. A file
  /// without any has no such line.
  std::vector<std::pair<std::string, std::string>> provenance;
  /// One a sample of this file; empty = SyntheticSampleName of the index in the cohort.
  std::vector<std::string> sample_names;
  /// One Sex a sample of this file; empty = unknown. VCF, BCF and haplotype files have one allele for a male on X
  /// outside its pseudo-autosomal regions, and for everybody on Y and MT, where the genotype is homozygous.
  std::vector<uint8_t> sexes;
  /// A table separated by tabs whose first line names its columns, the sample's name first, and whose other lines
  /// follow the samples of this file; read line by line at Close. .psam and .samples.tsv take its columns. Empty =
  /// none.
  std::string sample_table;
  /// The column of `sample_table` that .hapt and the .sample of kBcftools take as the population; empty = none.
  std::string population_column;
};

/// How a cohort is written.
struct CohortWriterOptions {
  /// Bytes of genotypes that are gathered in all ranges together before they go to the disk, and of those that are
  /// read back at a time. More is used where variants are very many: 64 samples of each range must fit.
  size_t memory = size_t{32} << 20;
  /// Ends of the ranges of samples that are appended to independently: ascending, each but the last a multiple of
  /// 1024, the last the sample count. Empty = one range of all samples.
  std::vector<int64_t> range_ends;
  /// Whether genotypes are gathered in the file PartPath, which stays when the writer is destroyed without a Close
  /// that succeeded. Otherwise nothing stays.
  bool keep_part = false;
  /// For each range the samples that a part has, as an earlier writer's Save told: this writer goes on with it. Format,
  /// variants, samples, ranges and memory must be those of the earlier one. Empty = a new part, over an older one.
  std::vector<int64_t> done;
  /// What a part is known again by besides that: its writers have the same key. Any text.
  std::string part_key;
  VariantIndex index = VariantIndex::kCsi;
  OxfordLayout oxford = OxfordLayout::kPlink2;
};

/// Takes rows in order within each range, in batches of any size, with memory bounded whatever the number of samples.
/// Nothing stands under the final name until Close has succeeded.
/// Append may be called from several threads at once for different ranges, and Save beside them; Close comes last.
class CohortWriter {
 public:
  virtual ~CohortWriter() = default;

  /// Appends whole samples to a range; packing and variants must be those of the description. RESOURCE_EXHAUSTED on a
  /// full disk. After an error that left a range half written, the same error comes again.
  virtual absl::Status Append(const GenotypeMatrix& rows, size_t range = 0) = 0;

  /// Brings what was appended to the disk, and tells for each range how many of its first samples another writer can
  /// go on from whatever happens to this process and machine: a multiple of 1024, or all of the range. What the
  /// previous Save told holds until the next one begins, so note each answer before calling it again.
  /// FAILED_PRECONDITION without keep_part.
  virtual absl::StatusOr<std::vector<int64_t>> Save() = 0;

  /// Finishes the files, gives them their final names, and removes the part. FAILED_PRECONDITION where samples are
  /// missing. With keep_part, call Save before and note what it told: a process that is killed inside Close leaves a
  /// part that a writer with all samples done can close.
  virtual absl::Status Close() = 0;
};

/// Opens a writer. `path` is a file; "-" for standard output (VCF, VCF.gz, BCF or npy); the folder to make for kZarr;
/// or the prefix of a fileset, with or without the suffix of its main file. Temporary files lie beside the final ones,
/// or in $TMPDIR for standard output.
/// INVALID_ARGUMENT for a format that cannot hold the cohort; with `done`, NOT_FOUND where no part is there, DATA_LOSS
/// where it is cut short, FAILED_PRECONDITION where it is another cohort's or a writer has it open.
absl::StatusOr<std::unique_ptr<CohortWriter>> OpenCohortWriter(CohortFormat format, const std::string& path,
                                                               CohortDescription description,
                                                               CohortWriterOptions options = {});

/// Writes a whole cohort whose genotypes come variant by variant; `options` without ranges and part.
absl::Status WriteCohortByVariants(CohortFormat format, const std::string& path, CohortDescription description,
                                   const SegmentSource& genotypes, const CohortWriterOptions& options = {});

/// The format of a path by its suffix: "." and one of CohortFormatName; INVALID_ARGUMENT with the suffixes otherwise.
absl::StatusOr<CohortFormat> FormatOfPath(absl::string_view path);

/// "vcf", "vcf.gz", "bcf", "bed", "pgen", "hap", "haps", "hapt", "npy" or "zarr".
const char* CohortFormatName(CohortFormat format);
/// All formats, in that order.
std::vector<CohortFormat> AllCohortFormats();

/// Whether `path` of OpenCohortWriter is the prefix of several files.
bool IsFileset(CohortFormat format);

/// The files that a cohort consists of, or for kZarr the folder; the main one last.
std::vector<std::string> FilesOfCohort(CohortFormat format, const std::string& path,
                                       VariantIndex index = VariantIndex::kCsi);

/// The file that keep_part gathers genotypes in: `path`, without the suffix of a fileset's main file, and ".part".
std::string PartPath(CohortFormat format, const std::string& path);

/// The name of the sample with this index in a cohort: "SYN" and the index + 1, zero-padded to 6 digits or as many as
/// the cohort size has.
std::string SyntheticSampleName(int64_t index, int64_t cohort_size);

}  // namespace genoserve
