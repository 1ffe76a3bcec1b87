// What the commands of `genoserve store` print.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/artifact/store_labels.h"
#include "core/artifact/store_tools.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// What is in a store.
struct StoreContents {
  std::vector<VersionSummary> versions;  ///< by model, newest first
  std::vector<Debris> debris;
  std::vector<std::string> astray;  ///< a sentence for each label whose version is not there
};

/// A table of versions, then what is wrong with some of them, labels that point nowhere, and a line about debris.
std::string FormatContents(const StoreContents& contents, absl::Time now);
std::string ContentsJson(const StoreContents& contents);

/// What became of the check of one version.
struct VerifiedVersion {
  std::string model;
  int64_t version = 0;
  absl::Status status;
  std::string digest;  ///< of a whole one
  uint64_t size = 0;   ///< bytes
};

/// One line.
std::string FormatVerified(const VerifiedVersion& verified);
std::string VerifiedJson(const std::vector<VerifiedVersion>& versions);

/// A line for each thing that went, and one about the space.
std::string FormatGc(const GcReport& report, bool dry_run, absl::Time now);
std::string GcJson(const GcReport& report, bool dry_run);

/// What became of a copy of `from`, NAME@VERSION, as `target_model` in the store `target`.
std::string FormatCopy(const std::string& from, const std::string& target, const std::string& target_model,
                       const CopyReport& report);
std::string CopyJson(const std::string& target, const std::string& target_model, const CopyReport& report);

/// "five: label stable pointed at version 2, and points at 3 now".
std::string FormatMove(absl::string_view model, absl::string_view label, const LabelMove& move);

}  // namespace genoserve
