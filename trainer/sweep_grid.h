// The grid of a sweep: one configuration for each combination of values.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// Runs that a sweep has at most.
inline constexpr int kMostSweepRuns = 64;

/// One point of the grid.
struct SweepPoint {
  std::vector<std::string> values;  ///< one an axis
  v1::TrainConfig config;           ///< without axes
};

/// All combinations of the values of `config.sweep`, the last axis fastest. INVALID_ARGUMENT where there is no axis, an
/// axis is not of a field that changes the training, has no value or one twice, a combination makes no sense
/// (CheckTrainConfig), or there are more than kMostSweepRuns.
absl::StatusOr<std::vector<SweepPoint>> SweepGrid(const v1::TrainConfig& config);

}  // namespace genoserve
