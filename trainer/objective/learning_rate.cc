#include "trainer/objective/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "absl/strings/str_cat.h"

namespace genoserve {

absl::Status CheckLearningRate(const v1::TrainingRecipe& recipe) {
  const std::string& schedule = recipe.learning_rate_schedule();
  if (!schedule.empty() && schedule != "constant" && schedule != "linear" && schedule != "cosine") {
    return absl::InvalidArgumentError(
        absl::StrCat("setting learning_rate_schedule is \"", schedule, "\"; it must be constant, linear or cosine"));
  }
  if (recipe.warmup_steps() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("setting warmup_steps is ", recipe.warmup_steps(), "; it must be 0 or more"));
  }
  return absl::OkStatus();
}

double LearningRateFactor(const v1::TrainingRecipe& recipe, int64_t step, int64_t total_steps) {
  const int64_t warmup = recipe.warmup_steps();
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  const std::string& schedule = recipe.learning_rate_schedule();
  if (schedule != "linear" && schedule != "cosine") return 1.0;
  const auto length = static_cast<double>(std::max<int64_t>(1, total_steps - warmup));
  const double done = std::min(1.0, static_cast<double>(step - warmup) / length);
  return schedule == "linear" ? 1.0 - done : (1.0 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace genoserve
