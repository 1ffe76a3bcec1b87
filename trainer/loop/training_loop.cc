#include "trainer/loop/training_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/artifact/safetensors.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

const v1::Validation* BestOf(const v1::LoopState& loop) {
  for (const v1::Validation& validation : loop.validations()) {
    if (validation.step() == loop.best_step()) return &validation;
  }
  return nullptr;
}

bool AllFinite(const TensorMap& weights) {
  return std::all_of(weights.begin(), weights.end(), [](const auto& item) {
    const std::vector<float>& values = item.second.values;
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
  });
}

ValidationFigures FiguresOf(const v1::Validation& validation) {
  ValidationFigures figures;
  for (const v1::ValidationFigure& figure : validation.figures()) figures.emplace_back(figure.name(), figure.value());
  return figures;
}

}  // namespace

TrainingLoop::TrainingLoop(Recipe& recipe, RunState& state, const LoopOptions& options, LoopHooks hooks,
                           const Clock& clock)
    : recipe_(recipe),
      state_(state),
      options_(options),
      hooks_(std::move(hooks)),
      clock_(clock),
      seconds_before_(state.loop.seconds()),
      began_(clock.Now()),
      saved_(began_) {}

double TrainingLoop::Seconds() const { return seconds_before_ + absl::ToDoubleSeconds(clock_.Now() - began_); }

absl::StatusOr<LoopEnd> TrainingLoop::Run() {
  absl::StatusOr<LoopEnd> end = Steps();
  state_.loop.set_seconds(Seconds());
  if (end.ok()) {
    const absl::Status saved = Checkpoint();
    if (!saved.ok() && *end == LoopEnd::kInterrupted) {
      end = saved;
    } else if (!saved.ok()) {
      Say(absl::StrCat("cannot write a checkpoint of the whole training: ", saved.message()));
    }
  }
  for (TrainingObserver* observer : hooks_.observers) observer->OnEnd();
  return end;
}

absl::StatusOr<LoopEnd> TrainingLoop::Steps() {
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(Decision decision, Agree(Decide()));
    if (decision == kEndInterrupted) return LoopEnd::kInterrupted;
    const bool at_end = decision == kEndOutOfTime && state_.loop.checked_step() < recipe_.steps();
    if (decision != kGoBack && (Due() || (at_end && options_.validations > 0))) {
      GENOSERVE_ASSIGN_OR_RETURN(const Decision checked, Check());
      if (checked == kEndInterrupted) return LoopEnd::kInterrupted;
      if (checked == kGoOn && decision != kEndOutOfTime) continue;
      decision = std::max(decision, checked);
    }
    if (decision == kGoBack) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool back, RollBack());
      if (!back) return LoopEnd::kDiverged;
      continue;
    }
    if (decision == kEndOutOfTime) return LoopEnd::kOutOfTime;
    if (decision == kEndEarly) return LoopEnd::kStoppedEarly;
    if (recipe_.steps() >= options_.total_steps) return LoopEnd::kFinished;

    const absl::StatusOr<Losses> losses = recipe_.Step();
    if (absl::IsInternal(losses.status())) {
      diverged_ = std::string(losses.status().message());
      continue;
    }
    if (!losses.ok()) return Annotate(losses.status(), absl::StrCat("step ", recipe_.steps() + 1));
    for (TrainingObserver* observer : hooks_.observers) observer->OnStep(recipe_.steps(), *losses);
    if (clock_.Now() - saved_ < options_.checkpoint_every) continue;
    if (const absl::Status status = Checkpoint(); !status.ok()) {
      Say(absl::StrCat("cannot write a checkpoint, going on without: ", status.message()));
    }
  }
}

absl::StatusOr<TrainingLoop::Decision> TrainingLoop::Agree(Decision decision) const {
  if (!hooks_.agree) return decision;
  GENOSERVE_ASSIGN_OR_RETURN(const int agreed, hooks_.agree(decision));
  return static_cast<Decision>(agreed);
}

TrainingLoop::Decision TrainingLoop::Decide() const {
  if (!diverged_.empty()) return kGoBack;
  if (hooks_.should_stop && hooks_.should_stop()) return kEndInterrupted;
  if (absl::Seconds(Seconds()) >= options_.max_time) return kEndOutOfTime;
  const auto& validations = state_.loop.validations();
  const auto later = std::count_if(validations.begin(), validations.end(),
                                   [&](const auto& one) { return one.step() > state_.loop.best_step(); });
  return options_.patience > 0 && later >= options_.patience ? kEndEarly : kGoOn;
}

bool TrainingLoop::Due() const {
  const int64_t points = std::min<int64_t>(options_.validations, options_.total_steps);
  const int64_t step = std::min(recipe_.steps(), options_.total_steps);
  if (points == 0 || state_.loop.checked_step() >= step) return false;
  return step * points / options_.total_steps > (step - 1) * points / options_.total_steps;
}

absl::StatusOr<TrainingLoop::Decision> TrainingLoop::Check() {
  GENOSERVE_ASSIGN_OR_RETURN(const TensorMap weights, recipe_.Export());
  Decision decision = kGoOn;
  if (!AllFinite(weights)) {
    diverged_ = "the weights are not finite";
    decision = kGoBack;
  } else if (hooks_.validate) {
    decision = Validate(weights);
  }
  GENOSERVE_ASSIGN_OR_RETURN(decision, Agree(decision));
  if (decision == kGoOn) {
    GENOSERVE_ASSIGN_OR_RETURN(state_.good, recipe_.SaveState());
    state_.loop.set_checked_step(recipe_.steps());
  }
  return decision;
}

TrainingLoop::Decision TrainingLoop::Validate(const TensorMap& weights) {
  Say(absl::StrCat("validating after step ", recipe_.steps()));
  absl::StatusOr<v1::Validation> validation = hooks_.validate(weights);
  if (absl::IsCancelled(validation.status())) return kEndInterrupted;
  if (!validation.ok()) {
    Say(absl::StrFormat("cannot validate after step %d, going on without: %s", recipe_.steps(),
                        std::string(validation.status().message())));
    return kGoOn;
  }
  validation->set_step(recipe_.steps());
  return Count(*std::move(validation), weights);
}

TrainingLoop::Decision TrainingLoop::Count(v1::Validation validation, const TensorMap& weights) {
  v1::LoopState& loop = state_.loop;
  const v1::Validation* const best = BestOf(loop);
  const bool better = best == nullptr || validation.score() > best->score();
  for (TrainingObserver* observer : hooks_.observers) {
    observer->OnValidation(validation.step(), validation.score(), FiguresOf(validation), better);
  }
  if (best != nullptr && validation.fidelity() < kCollapsedShare * best->fidelity()) {
    diverged_ = absl::StrFormat("the generator has collapsed: its fidelity is %.3f, that after step %d was %.3f",
                                validation.fidelity(), best->step(), best->fidelity());
    return kGoBack;
  }
  if (better) {
    loop.set_best_step(validation.step());
    state_.best = SerializeSafetensors(weights);
  }
  *loop.add_validations() = std::move(validation);
  return kGoOn;
}

absl::StatusOr<bool> TrainingLoop::HasBest() const {
  const bool best = state_.loop.best_step() > 0;
  if (!hooks_.agree) return best;
  GENOSERVE_ASSIGN_OR_RETURN(const int agreed, hooks_.agree(best ? 1 : 0));
  return agreed != 0;
}

absl::StatusOr<bool> TrainingLoop::RollBack() {
  const std::string why = diverged_.empty() ? "another process diverged" : std::exchange(diverged_, std::string());
  const int64_t from = recipe_.steps();
  if (state_.loop.roll_backs() >= kMostRollBacks) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool best, HasBest());
    const std::string given_up = absl::StrFormat("%s, again after going back %d times", why, kMostRollBacks);
    if (!best) {
      return absl::InternalError(
          absl::StrFormat("the training diverged at step %d: %s; smaller learning rates may help", from, given_up));
    }
    Say(absl::StrFormat("the training diverged at step %d: %s; it ends with its best validation", from, given_up));
    return false;
  }
  const int attempt = state_.loop.roll_backs() + 1;
  GENOSERVE_RETURN_IF_ERROR(recipe_.RestoreState(state_.good));
  recipe_.Recover(attempt);
  state_.loop.set_roll_backs(attempt);
  for (TrainingObserver* observer : hooks_.observers) observer->OnRollBack(from, recipe_.steps(), why);
  return true;
}

absl::Status TrainingLoop::Checkpoint() {
  if (!hooks_.checkpoint) return absl::OkStatus();
  const absl::Time began = clock_.Now();
  state_.loop.set_seconds(Seconds());
  const absl::StatusOr<int64_t> bytes = hooks_.checkpoint();
  saved_ = clock_.Now();
  GENOSERVE_RETURN_IF_ERROR(bytes.status());
  for (TrainingObserver* observer : hooks_.observers) {
    observer->OnCheckpoint(recipe_.steps(), *bytes, saved_ - began);
  }
  return absl::OkStatus();
}

void TrainingLoop::Say(absl::string_view line) const {
  for (TrainingObserver* observer : hooks_.observers) observer->OnMessage(line);
}

}  // namespace genoserve
