// The formats that a cohort is written in: from genotypes that come variant by variant, or as rows, to whole files.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/io/bgzf_output.h"
#include "core/io/cohort_writer.h"
#include "core/io/part_file.h"
#include "core/io/plain_output.h"
#include "core/io/site_index.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// What is written, and where.
struct CohortTarget {
  CohortFormat format = CohortFormat::kVcf;
  std::string path;  ///< as OpenCohortWriter takes it
  CohortDescription cohort;
  CohortWriterOptions options;
};

/// The path that stands for standard output.
inline constexpr char kStandardOutput[] = "-";

/// INVALID_ARGUMENT, with the reason, where the format cannot hold the cohort or the path cannot be written.
absl::Status CheckTarget(const CohortTarget& target);

/// Writes all files from genotypes that come variant by variant.
absl::Status FinishByVariants(const CohortTarget& target, const SegmentSource& genotypes);

/// Whether the main file is a sequence of samples, not of variants.
bool IsByRows(CohortFormat format);

/// Writes all files of such a format.
absl::Status FinishByRows(const CohortTarget& target, const RowSource& genotypes);

/// Turns genotypes that come variant by variant into rows, by way of the disk. Both arguments must outlive the result.
RowSource RowsOfVariants(const CohortTarget& target, const SegmentSource& genotypes);

/// The folder for temporary files that are not those of `path`: that of `path`, or $TMPDIR for standard output.
std::string SpillFolder(const std::string& path);

/// Writes what stands beside genotypes that lie in `genotypes` as the main file has them.
absl::Status FinishInPlace(const CohortTarget& target, PartFile& genotypes);

/// The header of a VCF up to the names of the samples: VCF 4.3, FILTER, source, contigs, FORMAT GT, where the cohort
/// comes from, and the fixed columns of the "#CHROM" line. No date, so that the same request gives the same bytes.
/// INVALID_ARGUMENT where a provenance key is not a name.
absl::StatusOr<std::string> VcfHeader(const CohortDescription& cohort);

/// The lines of that header for contigs, and that for where the cohort comes from: empty where it does not tell.
std::string VcfContigLines(const CohortDescription& cohort);
absl::StatusOr<std::string> VcfSyntheticLine(const CohortDescription& cohort);

/// The Sex of a sample of the file.
int SexOf(const CohortDescription& cohort, int64_t sample);

/// The name of a sample of the file.
std::string SampleName(const CohortDescription& cohort, int64_t sample);

/// Calls `take` with "<separator><name><end>" of every sample of the file, many at a time.
absl::Status ForEachSampleName(const CohortDescription& cohort, absl::string_view separator, absl::string_view end,
                               absl::FunctionRef<absl::Status(absl::string_view)> take);

/// Writes a VCF, and adds its records to `index` unless that is null.
absl::Status WriteVcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      SiteIndex* index);

/// Writes a BCF 2.2 in the same way.
absl::Status WriteBcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      SiteIndex* index);

/// Writes the three files of PLINK 1: A1 = ALT, A2 = REF; family "0", parents "0", phenotype "-9".
absl::Status WriteBed(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output);
absl::Status WriteBim(const CohortDescription& cohort, PlainOutput& output);
absl::Status WriteFam(const CohortDescription& cohort, PlainOutput& output);

/// Writes the three files of PLINK 2: haplotypes as phased calls; true REF alleles; all columns of the table of
/// samples.
absl::Status WritePgen(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output);
absl::Status WritePvar(const CohortDescription& cohort, PlainOutput& output);
absl::Status WritePsam(const CohortDescription& cohort, PlainOutput& output);

/// Writes the files of Oxford tools, of haplotypes: alleles as 0 and 1, REF first. The .legend is that of .hapt too.
absl::Status WriteHap(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output);
absl::Status WriteHaps(const CohortDescription& cohort, OxfordLayout layout, const SegmentSource& genotypes,
                       PlainOutput& output);
absl::Status WriteLegend(const CohortDescription& cohort, PlainOutput& output);
absl::Status WriteOxfordSample(const CohortDescription& cohort, OxfordLayout layout, PlainOutput& output);

/// Writes "label id 0 1 ..." for each haplotype; the label is the population, or "Synthetic".
absl::Status WriteHapt(const CohortDescription& cohort, const RowSource& genotypes, PlainOutput& output);

/// Writes a NumPy array, and tables of what its columns and rows are.
absl::Status WriteNpy(const CohortDescription& cohort, const RowSource& genotypes, PlainOutput& output);
absl::Status WriteVariantTable(const CohortDescription& cohort, PlainOutput& output);
absl::Status WriteSampleTable(const CohortDescription& cohort, PlainOutput& output);

/// Writes a VCF Zarr into a folder that is there and empty, and brings it to the disk.
absl::Status WriteZarr(const CohortDescription& cohort, const SegmentSource& genotypes, const std::string& folder);

/// The most samples that a BCF record can count.
inline constexpr int64_t kMaxBcfSamples = (int64_t{1} << 24) - 1;

}  // namespace genoserve
