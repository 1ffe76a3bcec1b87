// The cohorts of a report, read from the user's files and brought to one form.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/report.h"
#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Cohorts ready to be measured.
struct ReportInput {
  QualitySets sets;           ///< whole cohorts, labels and phenotypes
  std::vector<int> families;  ///< one a training sample
  v1::QualityInputs inputs;   ///< what was read, and notes on what was done to it
};

/// Reads and aligns all files, parts the hold-out from the training where it has no file of its own, and finds the
/// training's families. Errors name the file and what is wrong with it.
absl::StatusOr<ReportInput> ReadReportInput(const ReportArguments& arguments);

}  // namespace genoserve
