// quality.json: the Quality message as JSON.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// The format that this build writes.
inline constexpr int kQualityFormatVersion = 1;

/// The fields under their names in the proto, with a newline at the end. INVALID_ARGUMENT where a text is not UTF-8.
absl::StatusOr<std::string> SerializeQuality(const v1::Quality& quality);

}  // namespace genoserve
