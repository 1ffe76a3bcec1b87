// The page that a data access committee reads.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// One HTML page with the summary, all figures and all charts, which needs no network and no other file. Equal messages
/// give equal bytes. Text of the message never becomes markup or script: it is escaped, and the page's Content Security
/// Policy allows the two scripts of this build only, by their digests. INVALID_ARGUMENT, with the chart's name, for a
/// chart that cannot be drawn.
absl::StatusOr<std::string> RenderReport(const v1::Quality& quality);

}  // namespace genoserve
