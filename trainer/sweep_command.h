// genoserve-trainer sweep: trains over a small grid of settings and compares what comes out.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// How a sweep is done.
struct SweepOptions {
  std::string folder = "sweep";  ///< for the runs; made where it is missing
  bool publish_best = false;
};

/// Trains each point of SweepGrid in a process of its own, one after another. A run has a folder of its own under
/// `options.folder`, named by its settings, with configuration, log, checkpoint, and a store that holds what it made. A
/// run that is finished for the same data is not run again; one that was interrupted goes on from its checkpoint. The
/// table, best first, goes to sweep.tsv after each run and to standard output at the end.
///
/// Nothing is published, unless `publish_best`: then the best run whose generator passed the gate (with
/// output.publish_anyway, the best of all) is published to the store of the configuration, and the servers are told.
///
/// ABORTED where no run made a generator, or none may be published; CANCELLED after an interrupt.
absl::Status Sweep(const v1::TrainConfig& config, const SweepOptions& options);

}  // namespace genoserve
