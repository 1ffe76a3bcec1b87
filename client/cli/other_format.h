// The genotypes of a cohort that is written already, in one format more.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/io/cohort_writer.h"

namespace genoserve {

/// Writes the cohort whose PGEN fileset has the prefix `pgen` as `format` to `path`, as OpenCohortWriter takes it. The
/// description is that of the PGEN. Errors of both ends; DATA_LOSS where the PGEN is of another cohort.
absl::Status WriteOtherFormat(const std::string& pgen, CohortFormat format, const std::string& path,
                              const CohortDescription& description, const CohortWriterOptions& options);

}  // namespace genoserve
