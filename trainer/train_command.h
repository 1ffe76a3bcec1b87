// genoserve-trainer train: from the user's files to a published artifact.
#pragma once

#include "absl/status/status.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// How a training begins, beside its configuration.
struct TrainStart {
  bool resume = false;  ///< go on from the checkpoint, if there is one
  /// For a job that runs by the clock: train only where data or settings are not those of the newest version, and set
  /// aside a checkpoint that cannot be gone on from, since nobody is there to remove it.
  bool watch = false;
};

/// Reads the data, trains, measures the generator on a cohort like the training set, and publishes it. Progress goes to
/// standard error, the figures and the version to standard output. SIGINT and SIGTERM end the training with a
/// checkpoint and CANCELLED. ABORTED where the generator is not good enough to publish. Nothing that failed is left in
/// the store; a training that is done but could not be published is kept as a checkpoint, if that can be written.
/// Where the environment names several processes (ReadProcessPlace), all of them train together; process 0 alone
/// watches, measures and publishes, and UNAVAILABLE tells that another one was lost. The configuration must be one of
/// ConfigOf.
absl::Status Train(const v1::TrainConfig& config, const TrainStart& start);

}  // namespace genoserve
