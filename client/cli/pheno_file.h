// A file with the conditions of single samples.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Reads one value a sample for each column of a phenotype file (see ReadPhenotypes of core/io): phenotypes of the
/// model, and the population label in the column of its name. INVALID_ARGUMENT, with file and column or sample, for any
/// other column, a missing value, text where a number is due, a number as CheckInRange refuses it, or a label or level
/// that the model has not, with those that it has; errors of the file.
absl::StatusOr<v1::SampleConditions> ReadSampleConditions(const std::string& path, const v1::Manifest& manifest,
                                                          bool extrapolate);

}  // namespace genoserve
