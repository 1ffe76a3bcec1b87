// The flags of the commands of genoserve-trainer that go by a configuration.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// A field of TrainConfig that a flag gives.
struct FlagSetting {
  std::string flag;
  std::string field;  ///< as SetField takes it
  std::vector<std::string> values;
};

/// What the user gave.
struct TrainOptions {
  std::vector<FlagSetting> settings;  ///< in the order in which they count
  bool resume = false;
};

/// Adds the command train to the program; `options` must outlive it.
CLI::App* AddTrainCommand(CLI::App& app, TrainOptions& options);

/// The configuration that the flags make. INVALID_ARGUMENT with the flag whose value cannot be used, or where they do
/// not fit together (CheckTrainConfig).
absl::StatusOr<v1::TrainConfig> ConfigOf(const TrainOptions& options);

}  // namespace genoserve
