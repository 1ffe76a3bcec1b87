// What labels mean: which version answers, which is tried, and which stay.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// The label that keeps a version from being removed as an old one: "pin-7".
std::string PinLabel(int64_t version);
/// Whether a label is one of those.
bool IsPinLabel(absl::string_view label);

/// Where a label pointed and where it points now; version 0 = nowhere.
struct LabelMove {
  Label before;
  Label after;
};

/// Versions of a model, ascending, at least one. NOT_FOUND, with the models that are there, otherwise.
absl::StatusOr<std::vector<int64_t>> VersionsOf(const CheckpointStore& store, absl::string_view model);

/// OK where the version is there. NOT_FOUND, with the models or the versions that are, otherwise.
absl::Status RequireVersion(const CheckpointStore& store, absl::string_view model, int64_t version);

/// Has a label point at a version that must be there. Errors of RequireVersion and SetLabel.
absl::StatusOr<LabelMove> MoveLabel(CheckpointStore& store, absl::string_view model, absl::string_view label,
                                    int64_t version);

/// Removes a label. NOT_FOUND, with the labels that are there, where it is not.
absl::StatusOr<LabelMove> DropLabel(CheckpointStore& store, absl::string_view model, absl::string_view label);

/// Moves `stable` back to where it was before, so that a second rollback undoes the first. Where there is no such label
/// it is set to the newest version but one. FAILED_PRECONDITION where there is nothing to go back to.
absl::StatusOr<LabelMove> RollBack(CheckpointStore& store, absl::string_view model);

/// Moves `stable` to the version of `canary`, then removes `canary`. FAILED_PRECONDITION where there is no canary.
absl::StatusOr<LabelMove> Promote(CheckpointStore& store, absl::string_view model);

}  // namespace genoserve
