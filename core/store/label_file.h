// How a label is kept: a small file or object of two lines.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// The folder of a model, beside those of its versions, that holds a file a label.
inline constexpr absl::string_view kLabelsFolder = "labels";
/// More bytes than a label has.
inline constexpr uint64_t kLargestLabel = 256;

/// "version 7\nprevious 6\n".
std::string FormatLabel(const Label& label);

/// DATA_LOSS where it is not that.
absl::StatusOr<Label> ParseLabel(absl::string_view text);

/// The label in what was read, of at most kLargestLabel bytes, at a place. DATA_LOSS, with the place, where it is none.
absl::StatusOr<Label> LabelOf(const absl::StatusOr<std::string>& text, absl::string_view place);

/// Whether a label may point there. INVALID_ARGUMENT otherwise.
absl::Status ValidateVersion(int64_t version);

/// Adds what was read of a label to those of its model. One that was removed since it was listed is left out, and so is
/// one that cannot be understood, unless what answers depends on it: that must not count as none. Other errors are
/// passed on.
absl::Status AddLabel(absl::string_view name, const absl::StatusOr<Label>& read, std::map<std::string, Label>* labels);

/// What a label is after it is moved to `version`, from what was read of it before: what it pointed at is remembered,
/// and moving it to where it is changes nothing. One that is not there, or cannot be understood, pointed nowhere; other
/// errors are passed on.
absl::StatusOr<Label> Moved(const absl::StatusOr<Label>& before, int64_t version);

}  // namespace genoserve
