// genoserve report: how faithful a synthetic cohort is, and what it gives away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "core/quality/holdout.h"

namespace genoserve {

/// One cohort in files; paths as SourceOfPath takes them, tables empty where there are none.
struct CohortFiles {
  std::string genotypes;
  std::string panel;
  std::string phenotypes;
};

/// What the user asked for.
struct ReportArguments {
  CohortFiles training;
  CohortFiles holdout;  ///< without genotypes: a part of the training's samples
  CohortFiles synthetic;
  double holdout_share = kHoldoutShare;
  std::string label_column;            ///< of the panels; empty = no labels
  std::string synthetic_label_column;  ///< empty = as label_column
  std::vector<std::string> phenotype_names;
  std::vector<std::string> categorical;
  uint64_t seed = 0;
  std::string gate = "default";
  bool gate_given = false;  ///< a breach is then an error
  std::string title;
  std::string output;  ///< HTML; empty = none
  std::string json;    ///< empty = none
  bool force = false;
  bool quiet = false;
};

/// Compares the files, prints the table to standard output, and writes the page and the JSON. CANCELLED once
/// `interrupted` is true. With a gate given, DATA_LOSS (what came is not what was asked for) where the cohort does not
/// pass it, when all is written.
absl::Status Report(const ReportArguments& arguments, absl::FunctionRef<bool()> interrupted);

}  // namespace genoserve
