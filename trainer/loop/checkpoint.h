// A checkpoint: the state of a training run in one file, from which it can go on, with the one before it as a reserve.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/loop/run_state.h"

namespace genoserve {

/// The file holds: "GSCKPT02"; five parts, each as its length (8 bytes, little-endian) and its bytes: the run and the
/// loop's state in Protobuf's binary form, the recipe's state, the recipe's last good state, and the best weights; and
/// the 32 bytes of the SHA-256 of all that stands before.
struct Checkpoint {
  /// The manifest as far as it is known before the end: data, labels, generator, recipe, seed and steps of the whole
  /// run.
  v1::Manifest run;
  RunState state;
  std::string recipe;  ///< Recipe::SaveState
};

/// Writes a checkpoint and returns its bytes. It is written whole and synced as PATH.new before the one at PATH becomes
/// PATH.previous and it takes its place: whenever the program is killed, or the disk is full, one whole checkpoint is
/// left. Errors are those of the file system; PATH is then as it was.
absl::StatusOr<int64_t> WriteCheckpoint(const FileSystem& files, const std::string& path, const Checkpoint& checkpoint);

/// A checkpoint that was read.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string path;     ///< of the file that it was read from
  std::string trouble;  ///< why it is the previous one; empty = it is the newest
};

/// Reads the one at `path`, or the one before where that is damaged or not there. NOT_FOUND where there is neither,
/// DATA_LOSS, with what to do, where none is whole.
absl::StatusOr<FoundCheckpoint> ReadCheckpoint(const FileSystem& files, const std::string& path);

/// Whether there is a checkpoint, or the one before it.
bool CheckpointExists(const FileSystem& files, const std::string& path);

/// Moves a checkpoint that cannot be gone on from out of the way: `from`, which is `path` or the one before it, becomes
/// PATH.stale, in place of one that was set aside earlier, and of the two the other is removed.
absl::Status SetAsideCheckpoint(const FileSystem& files, const std::string& path, const std::string& from);

/// Removes the checkpoint, the one before it, the one set aside, and what a write that was cut off left. What cannot be
/// removed is left.
void RemoveCheckpoint(const FileSystem& files, const std::string& path);

/// Finds out before hours are spent whether checkpoints of about `bytes` bytes can be written: the folder is there and
/// writable, and the disk has room for three of them (the newest, the one before, and one that is being written), less
/// what stands there already. Errors name the path; RESOURCE_EXHAUSTED with the room that there is and that it takes.
absl::Status ProbeCheckpoint(const FileSystem& files, const std::string& path, int64_t bytes);

/// Whether a run with the manifest `now` may go on from the checkpoint of `run`. INVALID_ARGUMENT says what differs:
/// data, preset, seed, labels, phenotypes, or another setting. Another number of steps is allowed where nothing of the
/// recipe follows a schedule over them: temperature and learning rates are the same from first to last step.
absl::Status CheckSameRun(const v1::Manifest& run, const v1::Manifest& now);

}  // namespace genoserve
