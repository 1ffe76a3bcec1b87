// What a fetch would bring, told without it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/output.h"
#include "core/genotype/variant_table.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// The size of a cohort in one format.
struct SizeEstimate {
  CohortFormat format;
  double bytes = 0;         ///< of all files of the format, within a few percent
  bool compressed = false;  ///< `bytes` are before the compression, which makes them fewer
};

/// The size in every format that can hold such genotypes.
std::vector<SizeEstimate> EstimateSizes(const VariantTable& variants, int64_t samples, int64_t cohort_size,
                                        bool phased);

/// Prints model, samples, variants, seed, licence, bytes on the wire and bytes per format on standard output.
absl::Status PrintDryRun(const v1::Model& model, const v1::StreamCohortRequest& request, const VariantTable& variants);

}  // namespace genoserve
