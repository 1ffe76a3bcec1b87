// Looks at a store and keeps it tidy: what is in it, what may go, and copies of versions elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Asked between steps; true = end, with CANCELLED.
using Interrupted = std::function<bool()>;

/// What there is to know of a version without its files.
struct VersionSummary {
  std::string model;
  int64_t version = 0;
  std::vector<std::string> labels;  ///< that point at it, sorted, pins apart
  bool pinned = false;
  absl::Time published_at;
  absl::Status manifest;  ///< OK, or why it cannot be read; the rest is unknown then
  std::string digest;     ///< of the artifact, 64 hexadecimal digits
  uint64_t size = 0;      ///< bytes of all files and the manifest
  std::optional<v1::GateResult> gate;
};

/// All versions of one model, newest first; NOT_FOUND, with the models that are there, where there is none. Errors of
/// the store, but for those of single manifests.
absl::StatusOr<std::vector<VersionSummary>> SummarizeModel(const CheckpointStore& store, absl::string_view model);

/// Which of `versions`, ascending, go where the newest `keep`, at least 1, stay. Those with labels stay too, and the
/// one that `stable` pointed at before: a rollback goes there.
std::vector<int64_t> VersionsToRemove(const std::vector<int64_t>& versions, const std::map<std::string, Label>& labels,
                                      int64_t keep);

/// What is to be removed from a store.
struct GcOptions {
  absl::Time debris_before;                    ///< debris that nobody has changed since goes
  std::optional<int64_t> keep = std::nullopt;  ///< newest versions of each model that stay; none = all stay
  bool dry_run = false;                        ///< tells only
};

/// What was removed, or would have been.
struct GcReport {
  struct Version {
    std::string model;
    int64_t version = 0;
    uint64_t size = 0;  ///< bytes; 0 where its manifest cannot be read
  };
  std::vector<Debris> debris;
  std::vector<Version> versions;
};

/// Removes debris and old versions; labels are looked at again before each version. After an error, or an interrupt,
/// the report has what was done until then.
absl::Status CollectGarbage(CheckpointStore& store, const GcOptions& options, const Interrupted& interrupted,
                            GcReport* report);

/// What became of a copy.
struct CopyReport {
  int64_t version = 0;     ///< that has the artifact now
  bool was_there = false;  ///< before; nothing was written then
  std::string digest;      ///< of the artifact
  uint64_t size = 0;       ///< bytes of it
};

/// Publishes a version as the next one of `target_model` in another store, or in the same one under another name, byte
/// for byte, so that its digest stays. Does nothing where the target has it already. Every file is checked on the way:
/// DATA_LOSS with the one that is damaged, and then nothing is published.
absl::StatusOr<CopyReport> CopyVersion(const CheckpointStore& source, absl::string_view model, int64_t version,
                                       CheckpointStore& target, absl::string_view target_model,
                                       const Interrupted& interrupted);

}  // namespace genoserve
