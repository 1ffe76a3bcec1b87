// The charts as data for the page's scripts.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// {"charts": [...]}, by index as in the message, as ASCII JSON that is safe inside a script element: it has no '<',
/// '>' or '&'. Numbers are rounded to a ten-thousandth of the range of what they are drawn on, so that a page stays
/// small; what is not finite is null. Cells of a matrix are numbers
/// of two bytes in base 64. INVALID_ARGUMENT, with the chart's name, where coordinates or a matrix do not fit
/// together, or the kind is not known.
absl::StatusOr<std::string> ChartData(const v1::Quality& quality);

}  // namespace genoserve
