// The flags of the commands of genoserve-trainer that go by a configuration.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/train.pb.h"
#include "trainer/sweep_command.h"
#include "trainer/train_command.h"

namespace genoserve {

/// A field of TrainConfig that a flag gives.
struct FlagSetting {
  std::string flag;
  std::string field;  ///< as SetField takes it
  std::vector<std::string> values;
};

/// What the user gave.
struct TrainOptions {
  std::string config;                 ///< file that the settings are put on top of; empty = none
  std::vector<FlagSetting> settings;  ///< a list replaces the file's
  TrainStart start;                   ///< train only
  SweepOptions sweep;                 ///< sweep only
};

/// Adds the command train to the program; `options` must outlive it.
CLI::App* AddTrainCommand(CLI::App& app, TrainOptions& options);
/// The same for the command sweep.
CLI::App* AddSweepCommand(CLI::App& app, TrainOptions& options);
/// The same for the command config, which prints what train would go by.
CLI::App* AddConfigCommand(CLI::App& app, TrainOptions& options);

/// The configuration that file and flags make, with its defaults. INVALID_ARGUMENT with the place in the file, with the
/// flag whose value cannot be used, or where all do not fit together (CheckTrainConfig).
absl::StatusOr<v1::TrainConfig> ConfigOf(const TrainOptions& options);

}  // namespace genoserve
