// Labels that have few samples to learn from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace genoserve {

/// A label with fewer training samples than this is named to the user.
inline constexpr int64_t kFewLabelSamples = 20;

/// A sentence that names the labels with fewer than kFewLabelSamples samples and their counts; empty where there are
/// none. `counts` has the training samples of each of `names`. INVALID_ARGUMENT, with the labels, where some have fewer
/// than `least`.
absl::StatusOr<std::string> CheckLabelCounts(const std::vector<std::string>& names, const std::vector<int64_t>& counts,
                                             int64_t least);

}  // namespace genoserve
