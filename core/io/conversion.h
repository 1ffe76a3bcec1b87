// From files of one format to files of another, variant by variant.
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/cohort_writer.h"
#include "core/io/variant_filter.h"

namespace genoserve {

/// What a conversion does with missing calls.
enum class MissingPolicy {
  kKeep,    ///< written as missing; refused in haplotypes, which cannot hold it
  kImpute,  ///< drawn as ImputeCalls does; on X males get two equal alleles where no called male is heterozygous
  kRefuse,  ///< INVALID_ARGUMENT with the first
};

struct Conversion {
  GenotypeSource from;
  VariantReaderOptions reader;
  VariantFilters filters;
  MissingPolicy missing = MissingPolicy::kKeep;
  bool unphased = false;  ///< drops the phase
  CohortFormat format = CohortFormat::kVcf;
  std::string path;  ///< as OpenCohortWriter takes it
  CohortWriterOptions writer;
};

/// What a conversion did.
struct ConversionSummary {
  FilterCounts counts;
  bool haplotypes = false;       ///< calls were written with their phase
  bool phase_dropped = false;    ///< the files have a phase that was not written
  int64_t renamed_variants = 0;  ///< their id was ".", or not unique
  int64_t missing_calls = 0;     ///< written as missing
  int64_t imputed_calls = 0;
  int64_t inferred_males = 0;  ///< taken as male for their haploid calls on X
  int64_t doubled_calls = 0;   ///< haploid calls off X, Y and MT, which are written homozygous
};

/// Reads the files twice, first for what must be known before anything is written: the variants that are kept, which
/// are held in memory, and whether all calls have a phase. All else is bounded. `progress` is told of each variant: how
/// many are done, and of how many, which is 0 in the first pass; the conversion ends with an error of it.
/// INVALID_ARGUMENT, with what to do, where no variant is left, the filters or the target cannot take what there is, or
/// calls have a phase in part and it is not to be dropped.
absl::StatusOr<ConversionSummary> Convert(const Conversion& conversion,
                                          absl::FunctionRef<absl::Status(int64_t done, int64_t total)> progress);

}  // namespace genoserve
