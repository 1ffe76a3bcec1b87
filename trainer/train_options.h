// The arguments of genoserve-trainer train.
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/quality/holdout.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/genotype_options.h"

namespace genoserve {

/// What the user gave.
struct TrainArguments {
  std::string preset;
  GenotypeArguments genotypes;
  std::string panel;
  std::string label_column;
  std::string phenotypes;
  std::vector<std::string> phenotype_names;
  std::vector<std::string> categorical;
  std::string store;
  bool create_store = false;
  std::string model;
  std::string licence;
  std::string data_terms;
  std::string description;
  int64_t steps = 0;  ///< 0 = the default of the preset
  uint64_t seed = 0;
  int32_t batch_size = 0;  ///< rows; 0 = that of the preset
  double max_seconds = 0;  ///< of training; 0 = no limit
  bool quick = false;
  std::string device = "auto";
  double holdout_share = kHoldoutShare;
  std::string gate = "default";  ///< or a file
  bool publish_anyway = false;
  std::string checkpoint;  ///< file; empty = DefaultCheckpoint()
  bool resume = false;
};

/// Adds the command to the program; `arguments` must outlive it.
CLI::App* AddTrainCommand(CLI::App& app, TrainArguments& arguments);

/// Whether the arguments fit together. INVALID_ARGUMENT with what is wrong and what is allowed.
absl::Status CheckTrainArguments(const TrainArguments& arguments);

/// Whether a preset makes diploid genotypes, and not haplotypes.
bool IsDiploidPreset(absl::string_view preset);

/// Where the checkpoint lies that the user did not name: beside the models of the store, where servers do not look.
std::string DefaultCheckpoint(const TrainArguments& arguments);

/// The steps to take where the user did not say, for a manifest that a preset has filled: those in which the defaults
/// converge on panels of about a thousand variants, fewer with --quick; for the presets of papers, their epochs.
int64_t DefaultSteps(const v1::Manifest& manifest, bool quick);

/// Seconds that --quick trains for at most.
inline constexpr double kQuickSeconds = 35;

}  // namespace genoserve
