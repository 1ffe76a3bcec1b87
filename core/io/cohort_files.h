// The formats that a cohort is written in: from genotypes that come variant by variant, or as rows, to whole files.
#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/io/bgzf_output.h"
#include "core/io/cohort_writer.h"
#include "core/io/csi_index.h"
#include "core/io/part_file.h"
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

/// Writes what stands beside genotypes that lie in `genotypes` as the main file has them.
absl::Status FinishInPlace(const CohortTarget& target, PartFile& genotypes);

/// The header of a VCF up to the names of the samples: VCF 4.3, FILTER, source, contigs, FORMAT GT, where the cohort
/// comes from, and the fixed columns of the "#CHROM" line. No date, so that the same request gives the same bytes.
/// INVALID_ARGUMENT where a provenance key is not a name.
absl::StatusOr<std::string> VcfHeader(const CohortDescription& cohort);

/// The name of a sample of the file.
std::string SampleName(const CohortDescription& cohort, int64_t sample);

/// Calls `take` with "<separator><name><end>" of every sample of the file, many at a time.
absl::Status ForEachSampleName(const CohortDescription& cohort, absl::string_view separator, absl::string_view end,
                               absl::FunctionRef<absl::Status(absl::string_view)> take);

/// Writes a VCF, and adds its records to `index` if that is wanted: it is set to the new index.
absl::Status WriteVcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      std::unique_ptr<CsiIndex>* index);

/// Writes a BCF 2.2 in the same way.
absl::Status WriteBcf(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output,
                      std::unique_ptr<CsiIndex>* index);

/// Writes the three files of PLINK 1: A1 = ALT, A2 = REF; family "0", sex and parents "0", phenotype "-9".
absl::Status WriteBed(const CohortDescription& cohort, const SegmentSource& genotypes, BgzfOutput& output);
absl::Status WriteBim(const CohortDescription& cohort, BgzfOutput& output);
absl::Status WriteFam(const CohortDescription& cohort, BgzfOutput& output);

/// The most samples that a BCF record can count.
inline constexpr int64_t kMaxBcfSamples = (int64_t{1} << 24) - 1;

}  // namespace genoserve
