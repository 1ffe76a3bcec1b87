// How a label is kept: a small file or object of two lines.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// The folder of a model, beside those of its versions, that holds a file a label.
inline constexpr absl::string_view kLabelsFolder = "labels";
/// More bytes than a label has.
inline constexpr uint64_t kLargestLabel = 256;

/// Whether what answers depends on a label, so that one which cannot be understood must not count as none.
bool DecidesWhatAnswers(absl::string_view label);

/// "version 7\nprevious 6\n".
std::string FormatLabel(const Label& label);

/// DATA_LOSS where it is not that.
absl::StatusOr<Label> ParseLabel(absl::string_view text);

/// The label in what was read, of at most kLargestLabel bytes, at a place. DATA_LOSS, with the place, where it is none.
absl::StatusOr<Label> LabelOf(const absl::StatusOr<std::string>& text, absl::string_view place);

/// Whether a label may point there. INVALID_ARGUMENT otherwise.
absl::Status ValidateVersion(int64_t version);

/// What a label is after it is moved to `version`. What it pointed at before is remembered; moving it to where it is
/// changes nothing.
Label Moved(const Label& label, int64_t version);

}  // namespace genoserve
