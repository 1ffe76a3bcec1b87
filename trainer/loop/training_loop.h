// The loop that steps a recipe: validations, the best weights so far, going back after a divergence, limits of time,
// interrupts and checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "genoserve/v1/checkpoint.pb.h"
#include "trainer/loop/observer.h"
#include "trainer/loop/run_state.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// When the loop ends, and what it does on the way.
struct LoopOptions {
  int64_t total_steps = 0;                             ///< of the whole run, restored ones included
  absl::Duration max_time = absl::InfiniteDuration();  ///< of the whole run, its parts before a resume included
  absl::Duration checkpoint_every = absl::Minutes(1);
  /// Points of validation, at even spaces of steps and the end among them: where they are depends on no clock, so that
  /// a resumed run validates and goes back as an undisturbed one does. At each the state is kept to go back to, also
  /// where nothing is validated. 0 = none.
  int validations = 0;
  int patience = 0;  ///< validations without a better one after which the run ends; 0 = it never does
};

/// Times that a run may go back before it is given up.
inline constexpr int kMostRollBacks = 3;

/// A validation whose fidelity is under this share of the best one's has collapsed, and the run goes back.
inline constexpr double kCollapsedShare = 0.5;

/// What the loop calls. Functions that are empty are left out.
struct LoopHooks {
  /// Asked before each step and by `validate`: whether to write a checkpoint and end.
  std::function<bool()> should_stop;
  /// Measures the generator with these weights, which are finite; the loop fills in the step. CANCELLED where
  /// should_stop became true meanwhile. Empty where there is no hold-out.
  std::function<absl::StatusOr<v1::Validation>(const TensorMap& weights)> validate;
  /// Writes a checkpoint, and returns its bytes.
  std::function<absl::StatusOr<int64_t>()> checkpoint;
  /// In a run of several processes: the largest of what each of them gives, so that all decide alike. All call it in
  /// the same order. Empty = this is the only one.
  std::function<absl::StatusOr<int>(int)> agree;
  std::vector<TrainingObserver*> observers;
};

/// Why the loop ended.
enum class LoopEnd {
  kFinished,      ///< all steps are done
  kOutOfTime,     ///< max_time is over; the weights so far are good to publish
  kStoppedEarly,  ///< `patience` validations were no better than the best
  kDiverged,      ///< it went back kMostRollBacks times and diverged again; there is a best validation to publish
  kInterrupted,   ///< `should_stop` said so; a checkpoint was written
};

/// One run of a recipe. Not thread-safe.
class TrainingLoop {
 public:
  /// All must outlive the object. Recipe and state are those of a start (state.good = the recipe's SaveState) or of a
  /// checkpoint.
  TrainingLoop(Recipe& recipe, RunState& state, const LoopOptions& options, LoopHooks hooks, const Clock& clock);

  /// Steps the recipe until one of the ends, and writes a checkpoint then, since what follows may be cut off. A
  /// checkpoint that cannot be written is told and the training goes on; after an interrupt its status is returned. A
  /// validation that cannot be made is told too. Where the loss of a
  /// step or the weights are not finite, or a validation has collapsed, the run goes back to state.good with
  /// Recipe::Recover, at most kMostRollBacks times; then INTERNAL where there is no best validation. Other errors of a
  /// step are returned with the step.
  absl::StatusOr<LoopEnd> Run();

  /// Seconds of the whole run, which state.loop has after Run and whenever a checkpoint is written.
  double Seconds() const;

 private:
  // What is done next; the more pressing one wins where processes differ.
  enum Decision : int { kGoOn, kEndEarly, kEndOutOfTime, kEndInterrupted, kGoBack };

  absl::StatusOr<LoopEnd> Steps();
  absl::StatusOr<Decision> Agree(Decision decision) const;
  Decision Decide() const;
  // Whether a point of validation is reached that is not done.
  bool Due() const;
  // Makes the validation of this step, if any: kGoOn, kEndInterrupted or kGoBack.
  absl::StatusOr<Decision> Check();
  Decision Validate(const TensorMap& weights);
  // Takes a validation among those that count; kGoBack where it has collapsed.
  Decision Count(v1::Validation validation, const TensorMap& weights);
  absl::StatusOr<bool> HasBest() const;
  // Goes back, with what diverged_ tells. False where that was done too often and there is a best validation.
  absl::StatusOr<bool> RollBack();
  absl::Status Checkpoint();
  void Say(absl::string_view line) const;

  Recipe& recipe_;
  RunState& state_;
  const LoopOptions options_;
  const LoopHooks hooks_;
  const Clock& clock_;
  const double seconds_before_;
  const absl::Time began_;
  absl::Time saved_;
  std::string diverged_;  // why; empty = all is well
};

}  // namespace genoserve
