// Which samples are kept apart from the training, to judge generators on people whom they never saw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// The share that is kept apart where the user does not say.
inline constexpr double kHoldoutShare = 0.2;

/// INVALID_ARGUMENT, with the option's name, unless the share is from 0.05 to 0.5.
absl::Status CheckHoldoutShare(absl::string_view option, double share);

/// Indices of samples, ascending.
struct Split {
  std::vector<size_t> training;
  std::vector<size_t> holdout;
};

/// Parts `samples` samples by individual: of each label (`labels`, one a sample; empty = none) the share is kept apart,
/// rounded but not all, and a family (`families`, one number a sample; empty = none are related) is wholly on one side,
/// so that a label may give a few less. The order is drawn by Philox with seed 0: the same samples, labels and families
/// give the same parts in every program.
Split SplitHoldout(size_t samples, const std::vector<int>& labels, const std::vector<int>& families, double share);

}  // namespace genoserve
