// genoserve-trainer evaluate: a synthetic cohort in files against the real one.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/status.h"
#include "trainer/genotype_options.h"

namespace genoserve {

/// What the user gave.
struct EvaluateArguments {
  GenotypeArguments real;
  std::string panel;
  std::string label_column;
  std::string synthetic;  ///< VCF, VCF.gz or BCF, else a BED prefix
  std::string synthetic_panel;
  std::string synthetic_label_column;  ///< empty = as label_column
  bool json = false;
};

/// Adds the command to the program; `arguments` must outlive it.
CLI::App* AddEvaluateCommand(CLI::App& app, EvaluateArguments& arguments);

/// Reads both, matches variants by contig:position:ref:alt, and prints the comparison to standard output: of all
/// samples, and of each label that both panels have.
absl::Status Evaluate(const EvaluateArguments& arguments);

}  // namespace genoserve
