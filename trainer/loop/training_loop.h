// The loop that steps a recipe: progress, time limit, interrupts and checkpoints.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "trainer/loop/progress.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// When the loop ends, and how often it writes a checkpoint.
struct LoopOptions {
  int64_t total_steps = 0;                             ///< of the whole run, restored ones included
  absl::Duration max_time = absl::InfiniteDuration();  ///< of this call
  absl::Duration checkpoint_every = absl::Minutes(1);
};

/// Why the loop ended.
enum class LoopEnd {
  kFinished,     ///< all steps are done
  kOutOfTime,    ///< max_time is over; the weights so far are good to publish
  kInterrupted,  ///< `should_stop` said so; a checkpoint was written
};

/// Steps the recipe until all steps are done, time is over or `should_stop` is true, which is asked before each step.
/// `checkpoint` writes one; if it fails on the way, that is told by `progress` and the training goes on; if it fails
/// after an interrupt, its status is returned. Errors of a step are returned with the step.
absl::StatusOr<LoopEnd> RunTrainingLoop(Recipe& recipe, const LoopOptions& options, const Clock& clock,
                                        absl::FunctionRef<bool()> should_stop,
                                        absl::FunctionRef<absl::Status()> checkpoint, Progress& progress);

}  // namespace genoserve
