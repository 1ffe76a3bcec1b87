// genoserve-trainer train: from the user's files to a published artifact.
#pragma once

#include "absl/status/status.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// Reads the data, trains, measures the generator on a cohort like the training set, and publishes it. Progress goes to
/// standard error, the figures and the version to standard output. SIGINT and SIGTERM end the training with a
/// checkpoint and CANCELLED. ABORTED where the generator is not good enough to publish. Nothing that failed is left in
/// the store; a training that is done but could not be published is kept as a checkpoint, if that can be written.
/// Where `resume` is set it goes on from the checkpoint, if there is one. The configuration must be one of ConfigOf.
absl::Status Train(const v1::TrainConfig& config, bool resume);

}  // namespace genoserve
