#include "trainer/loop/training_loop.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {

absl::StatusOr<LoopEnd> RunTrainingLoop(Recipe& recipe, const LoopOptions& options, const Clock& clock,
                                        absl::FunctionRef<bool()> should_stop,
                                        absl::FunctionRef<absl::Status()> checkpoint, Progress& progress) {
  const absl::Time began = clock.Now();
  absl::Time saved = began;
  LoopEnd end = LoopEnd::kFinished;
  while (recipe.steps() < options.total_steps) {
    if (should_stop()) {
      end = LoopEnd::kInterrupted;
      break;
    }
    if (clock.Now() - began >= options.max_time) {
      end = LoopEnd::kOutOfTime;
      break;
    }
    absl::StatusOr<Losses> losses = recipe.Step();
    if (!losses.ok()) {
      progress.OnEnd();
      return Annotate(losses.status(), absl::StrCat("step ", recipe.steps() + 1));
    }
    progress.OnStep(recipe.steps(), *losses);
    if (clock.Now() - saved >= options.checkpoint_every) {
      if (const absl::Status status = checkpoint(); !status.ok()) {
        progress.OnMessage(absl::StrCat("cannot write a checkpoint, going on without: ", status.message()));
      }
      saved = clock.Now();
    }
  }
  progress.OnEnd();
  if (end == LoopEnd::kInterrupted) GENOSERVE_RETURN_IF_ERROR(checkpoint());
  return end;
}

}  // namespace genoserve
