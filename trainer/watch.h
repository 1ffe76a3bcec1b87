// Whether there is anything to train: for a job that runs by the clock.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// What a training of `config` would bring that the newest version of the model has not.
struct WatchResult {
  bool train = false;
  std::string reason;  ///< for people, either way
};

/// Compares the data and the settings that the weights depend on (ConfigDigest) with those of the newest version.
/// A store that is not there holds no version. Errors of files and of a manifest that cannot be read.
absl::StatusOr<WatchResult> Watch(const v1::TrainConfig& config);

}  // namespace genoserve
