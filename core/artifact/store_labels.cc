#include "core/artifact/store_labels.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

constexpr absl::string_view kPinPrefix = "pin-";

Label Find(const std::map<std::string, Label>& labels, absl::string_view name) {
  const auto found = labels.find(std::string(name));
  return found == labels.end() ? Label() : found->second;
}

}  // namespace

std::string PinLabel(int64_t version) { return absl::StrCat(kPinPrefix, version); }

bool IsPinLabel(absl::string_view label) {
  int64_t version = 0;
  return absl::ConsumePrefix(&label, kPinPrefix) && absl::SimpleAtoi(label, &version) && version > 0;
}

absl::StatusOr<std::vector<int64_t>> VersionsOf(const CheckpointStore& store, absl::string_view model) {
  GENOSERVE_ASSIGN_OR_RETURN(std::vector<int64_t> versions, store.ListVersions(model));
  if (!versions.empty()) return versions;
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> models, store.ListModels());
  if (models.empty()) {
    return absl::NotFoundError(absl::StrCat("no model ", model, " in the store; there are no models in it yet"));
  }
  const std::string nearest = NearestMatch(model, models);
  return absl::NotFoundError(absl::StrCat("no model ", model, " in the store; there are ", absl::StrJoin(models, ", "),
                                          nearest.empty() ? "" : "; did you mean ", nearest,
                                          nearest.empty() ? "" : "?"));
}

absl::Status RequireVersion(const CheckpointStore& store, absl::string_view model, int64_t version) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, VersionsOf(store, model));
  if (std::binary_search(versions.begin(), versions.end(), version)) return absl::OkStatus();
  return absl::NotFoundError(
      absl::StrCat("model ", model, " has no version ", version, "; there are ", absl::StrJoin(versions, ", ")));
}

absl::StatusOr<LabelMove> MoveLabel(CheckpointStore& store, absl::string_view model, absl::string_view label,
                                    int64_t version) {
  GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
  GENOSERVE_RETURN_IF_ERROR(RequireVersion(store, model, version));
  GENOSERVE_ASSIGN_OR_RETURN(const auto before, store.ListLabels(model));
  GENOSERVE_RETURN_IF_ERROR(store.SetLabel(model, label, version));
  GENOSERVE_ASSIGN_OR_RETURN(const auto after, store.ListLabels(model));
  return LabelMove{Find(before, label), Find(after, label)};
}

absl::StatusOr<LabelMove> DropLabel(CheckpointStore& store, absl::string_view model, absl::string_view label) {
  GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  const Label before = Find(labels, label);
  if (before == Label()) {
    // A model that is not there is what is wrong first; labels may outlive their versions.
    if (labels.empty()) GENOSERVE_RETURN_IF_ERROR(VersionsOf(store, model).status());
    const auto name = [](std::string* out, const auto& entry) { *out += entry.first; };
    return absl::NotFoundError(absl::StrCat(
        "model ", model, " has no label ", label,
        labels.empty() ? "; it has none" : absl::StrCat("; there are ", absl::StrJoin(labels, ", ", name))));
  }
  GENOSERVE_RETURN_IF_ERROR(store.RemoveLabel(model, label));
  return LabelMove{before, Label()};
}

absl::StatusOr<LabelMove> RollBack(CheckpointStore& store, absl::string_view model) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, VersionsOf(store, model));
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  const Label stable = Find(labels, kStableLabel);
  if (stable.previous > 0) return MoveLabel(store, model, kStableLabel, stable.previous);
  if (stable.version > 0) {
    return absl::FailedPreconditionError(absl::StrCat("label stable of model ", model, " points at version ",
                                                      stable.version, " and never pointed elsewhere; set it to one of ",
                                                      absl::StrJoin(versions, ", ")));
  }
  if (versions.size() < 2) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", model, " has version ", versions.back(), " alone; there is none to go back to"));
  }
  // By way of the newest, which answers anyway while there is no label, so that it is what a second rollback returns
  // to.
  GENOSERVE_RETURN_IF_ERROR(store.SetLabel(model, kStableLabel, versions.back()));
  GENOSERVE_ASSIGN_OR_RETURN(LabelMove move, MoveLabel(store, model, kStableLabel, versions[versions.size() - 2]));
  move.before = Label();
  return move;
}

absl::StatusOr<LabelMove> Promote(CheckpointStore& store, absl::string_view model) {
  GENOSERVE_RETURN_IF_ERROR(VersionsOf(store, model).status());
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  const Label canary = Find(labels, kCanaryLabel);
  if (canary.version == 0) {
    return absl::FailedPreconditionError(absl::StrCat("model ", model, " has no label canary to promote"));
  }
  GENOSERVE_ASSIGN_OR_RETURN(LabelMove move, MoveLabel(store, model, kStableLabel, canary.version));
  GENOSERVE_RETURN_IF_ERROR(store.RemoveLabel(model, kCanaryLabel));
  return move;
}

}  // namespace genoserve
