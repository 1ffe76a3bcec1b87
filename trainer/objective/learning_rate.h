// Learning rates that change over a run.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// INVALID_ARGUMENT where learning_rate_schedule is none of constant, linear, cosine and "", or warmup_steps is
/// negative.
absl::Status CheckLearningRate(const v1::TrainingRecipe& recipe);

/// What the recipe's learning rates are multiplied by in the step that `step` of `total_steps` steps precede. It rises
/// in equal parts to 1 over warmup_steps. From there "linear" falls in a line and "cosine" as (1 + cos(pi t)) / 2
/// (Loshchilov and Hutter 2017, equation 5) towards 0 after the last step; it is 0 past the end.
double LearningRateFactor(const v1::TrainingRecipe& recipe, int64_t step, int64_t total_steps);

}  // namespace genoserve
