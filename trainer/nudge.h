// Tells servers that there is a new version.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// How long one server has to answer.
inline constexpr absl::Duration kNudgeTime = absl::Seconds(5);

/// Whether the servers of `output.nudge` can be reached in principle: addresses, TLS files and token. INVALID_ARGUMENT,
/// or the error of a file; nothing is sent.
absl::Status CheckNudge(const v1::TrainOutput& output);

/// Has each server of `output.nudge` look at its store now, all at once, and writes to `out` a line for each: what it
/// says of `version` of the model, or why it was not told. It finds the version at its next look in any case, so that
/// nothing here is an error. Returns within `kNudgeTime` and a little.
void NudgeServers(const v1::TrainOutput& output, int64_t version, std::ostream& out);

}  // namespace genoserve
