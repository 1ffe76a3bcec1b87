// A checkpoint: the state of a training run in one file, from which it can go on.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The file holds: "GSCKPT01", the length of the run (8 bytes, little-endian), the run in Protobuf's binary form, the
/// recipe's state, and the 32 bytes of the SHA-256 of all that stands before.
struct Checkpoint {
  /// The manifest as far as it is known before the end: data, labels, generator, recipe, seed, steps of the whole run,
  /// and the seconds that it took so far.
  v1::Manifest run;
  std::string state;  ///< of Recipe::SaveState
};

/// Writes a checkpoint over the one before in one step.
absl::Status WriteCheckpoint(const FileSystem& files, const std::string& path, const Checkpoint& checkpoint);

/// Reads one. DATA_LOSS where the file is no checkpoint, or not whole.
absl::StatusOr<Checkpoint> ReadCheckpoint(const FileSystem& files, const std::string& path);

/// Whether a run with the manifest `now` may go on from the checkpoint of `run`. INVALID_ARGUMENT says what differs:
/// data, preset, seed, steps, labels, phenotypes, or another setting.
absl::Status CheckSameRun(const v1::Manifest& run, const v1::Manifest& now);

}  // namespace genoserve
