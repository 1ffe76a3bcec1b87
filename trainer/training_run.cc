#include "trainer/training_run.h"

#include <unistd.h>

#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "core/artifact/allele_frequencies.h"
#include "core/artifact/manifest_json.h"
#include "core/artifact/safetensors.h"
#include "core/base/status.h"
#include "core/quality/allele_frequency.h"
#include "core/quality/gate.h"
#include "core/quality/quality_json.h"
#include "core/quality/report/report.h"
#include "core/quality/report/table.h"
#include "core/quality/stage_progress.h"
#include "trainer/config_file.h"
#include "trainer/loop/interrupt.h"
#include "trainer/loop/validation.h"
#include "trainer/nudge.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

void Tell(absl::string_view line) { std::cerr << line << std::endl; }

}  // namespace

TrainingRun::TrainingRun(const v1::TrainConfig& config, const TrainStart& start, CheckpointStore* store,
                         Dataset dataset, DeviceKind device, ProcessGroup& group)
    : config_(config),
      start_(start),
      store_(store),
      dataset_(std::move(dataset)),
      manifest_(dataset_.manifest),
      device_(device),
      group_(group),
      checkpoint_path_(CheckpointPath(config)) {}

absl::Status TrainingRun::Run() {
  absl::Status status = SetUp();
  if (status.ok()) status = TrainAndPublish();
  // The folder goes unless there is a checkpoint in it.
  if (leads() && config_.schedule().checkpoint().empty()) ::rmdir(DefaultCheckpointFolder(config_).c_str());
  return status;
}

absl::Status TrainingRun::TrainAndPublish() {
  GENOSERVE_ASSIGN_OR_RETURN(const LoopEnd end, Loop());
  if (end == LoopEnd::kInterrupted) return absl::CancelledError(CheckpointNotice());
  if (!leads()) return absl::OkStatus();
  absl::Status status = MeasureAndPublish();
  if (status.ok()) {
    CleanUp();
    return status;
  }
  // The training itself is whole: it must not be lost to a full disk, a signal or a gate.
  if (!saved_ && !SaveCheckpoint().ok()) return status;
  if (absl::IsAborted(status)) return status;
  return absl::Status(status.code(), absl::StrCat(status.message(), "; ", CheckpointNotice()));
}

absl::Status TrainingRun::SetUp() {
  GENOSERVE_RETURN_IF_ERROR(FillManifest(config_, manifest_));
  v1::Training& training = *manifest_.mutable_training();
  training.set_config_digest(ConfigDigest(config_, manifest_));
  training.set_seed(config_.schedule().seed());
  training.set_steps(config_.schedule().steps() > 0 ? config_.schedule().steps()
                                                    : DefaultSteps(manifest_, config_.schedule().quick()));
  training.set_code_version(GENOSERVE_VERSION);
  training.set_device(device_ == DeviceKind::kCpu ? "cpu" : "cuda");
  manifest_.set_licence(config_.output().licence());
  manifest_.set_data_terms(config_.output().data_terms());
  manifest_.set_description(config_.output().description());
  // A label or text that no manifest can hold is refused now, not after the training.
  GENOSERVE_RETURN_IF_ERROR(SerializeManifest(manifest_).status());
  GENOSERVE_RETURN_IF_ERROR(CheckMeasurable(manifest_, Real()));
  GENOSERVE_RETURN_IF_ERROR(group_.CheckSame(manifest_.SerializeAsString(), "data or settings"));
  if (leads() && files_.ListFolder(checkpoint_path_).ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--checkpoint ", checkpoint_path_, ": is a folder; name a file"));
  }
  GENOSERVE_ASSIGN_OR_RETURN(const bool unfinished,
                             group_.Any(leads() && !start_.resume && CheckpointExists(files_, checkpoint_path_)));
  if (unfinished) {
    return absl::FailedPreconditionError(
        absl::StrCat(checkpoint_path_, ": holds an unfinished training; go on with it by --resume, or remove it"));
  }
  const RecipeSetup setup{training.seed(), training.steps(), device_, &group_};
  GENOSERVE_ASSIGN_OR_RETURN(recipe_, MakeRecipe(manifest_, dataset_.training, setup));
  GENOSERVE_ASSIGN_OR_RETURN(state_.good, recipe_->SaveState());
  if (leads()) GENOSERVE_RETURN_IF_ERROR(PrepareCheckpoint());
  return start_.resume ? Resume() : absl::OkStatus();
}

absl::Status TrainingRun::PrepareCheckpoint() const {
  // The user chose no place: its folder is made.
  if (config_.schedule().checkpoint().empty()) {
    absl::Status made = files_.MakeFolder(DefaultCheckpointFolder(config_));
    if (!made.ok() && !absl::IsAlreadyExists(made)) return made;
  }
  // The recipe's state, the one to go back to, and the best weights, which are a part of a state.
  const auto state = static_cast<int64_t>(state_.good.size());
  const auto run = static_cast<int64_t>(manifest_.ByteSizeLong());
  return ProbeCheckpoint(files_, checkpoint_path_, run + 2 * state + state / 2);
}

// Whether a checkpoint that is refused like this makes room for a new training by itself. What another start may read
// is left.
bool TrainingRun::SetsAside(const absl::Status& unfit) const {
  return start_.watch && (absl::IsInvalidArgument(unfit) || absl::IsDataLoss(unfit));
}

absl::StatusOr<std::optional<FoundCheckpoint>> TrainingRun::FindCheckpoint() const {
  if (!CheckpointExists(files_, checkpoint_path_)) {
    Tell(absl::StrCat("there is no checkpoint ", checkpoint_path_, ": beginning with the first step"));
    return std::nullopt;
  }
  absl::StatusOr<FoundCheckpoint> found = ReadCheckpoint(files_, checkpoint_path_);
  const absl::Status unfit =
      found.ok() ? Annotate(CheckSameRun(found->checkpoint.run, manifest_), found->path) : found.status();
  if (SetsAside(unfit)) {
    GENOSERVE_RETURN_IF_ERROR(
        SetAsideCheckpoint(files_, checkpoint_path_, found.ok() ? found->path : checkpoint_path_));
    Tell(absl::StrCat(unfit.message(), "; it is set aside as ", checkpoint_path_,
                      ".stale: beginning with the first step"));
    return std::nullopt;
  }
  GENOSERVE_RETURN_IF_ERROR(unfit);
  if (!found->trouble.empty()) Tell(absl::StrCat(found->trouble, ": taking the one before it"));
  return *std::move(found);
}

absl::Status TrainingRun::Resume() {
  std::optional<FoundCheckpoint> found;
  std::string loop;  // of the checkpoint, after one byte; empty = there is none
  if (leads()) {
    GENOSERVE_ASSIGN_OR_RETURN(found, FindCheckpoint());
    if (found.has_value()) loop = absl::StrCat("+", found->checkpoint.state.loop.SerializeAsString());
  }
  GENOSERVE_RETURN_IF_ERROR(group_.Broadcast(loop));
  if (loop.empty()) return absl::OkStatus();
  if (!found.has_value()) {
    GENOSERVE_RETURN_IF_ERROR(recipe_->RestoreState(""));
    if (!state_.loop.ParseFromString(loop.substr(1))) return absl::InternalError("process 0 sent no state of a loop");
    return absl::OkStatus();
  }
  if (const absl::Status restored = recipe_->RestoreState(found->checkpoint.recipe); !restored.ok()) {
    const bool aside = SetsAside(restored) && SetAsideCheckpoint(files_, checkpoint_path_, found->path).ok();
    return Annotate(restored, absl::StrCat(found->path, aside ? " (set aside: the next start begins anew)" : ""));
  }
  state_ = std::move(found->checkpoint.state);
  Tell(absl::StrFormat("going on from %s after step %d", found->path, recipe_->steps()));
  return absl::OkStatus();
}

LoopOptions TrainingRun::OptionsOfLoop() const {
  const v1::TrainSchedule& schedule = config_.schedule();
  LoopOptions options;
  options.total_steps = manifest_.training().steps();
  if (const double most = MostSeconds(config_); most > 0) options.max_time = absl::Seconds(most);
  options.checkpoint_every = absl::Seconds(schedule.checkpoint_seconds());
  options.validations = schedule.validations();
  options.patience = schedule.patience();
  return options;
}

absl::StatusOr<LoopEnd> TrainingRun::Loop() {
  const LoopOptions options = OptionsOfLoop();
  GENOSERVE_ASSIGN_OR_RETURN(v1::Gate gate, ReadGate(config_.output().gate()));
  std::optional<Validator> validator;
  LoopHooks hooks;
  hooks.should_stop = Interrupted;
  if (group_.size() > 1) hooks.agree = [this](int mine) { return group_.Largest(mine); };
  if (leads()) hooks.checkpoint = [this] { return SaveCheckpoint(); };
  if (leads() && dataset_.holdout.genotypes.samples() > 0) {
    validator.emplace(manifest_, Real(), std::move(gate), device_);
    hooks.validate = [&validator](const TensorMap& weights) { return validator->Validate(weights, Interrupted); };
  }
  CatchInterrupts();
  if (!leads()) return TrainingLoop(*recipe_, state_, options, std::move(hooks), clock_).Run();
  Tell(absl::StrFormat("training %s, %d steps on %s; Ctrl-C writes a checkpoint and stops", config_.arch(),
                       options.total_steps, manifest_.training().device()));
  GENOSERVE_RETURN_IF_ERROR(StartObservers(options));
  // What is told on the terminal stands in the metrics already.
  hooks.observers = {telemetry_.get(), progress_.get()};
  absl::StatusOr<LoopEnd> end = TrainingLoop(*recipe_, state_, options, std::move(hooks), clock_).Run();
  if (end.ok() && *end == LoopEnd::kStoppedEarly) {
    Tell(absl::StrFormat("ended early: %d validations were no better than the one after step %d", options.patience,
                         state_.loop.best_step()));
  }
  return end;
}

absl::Status TrainingRun::StartObservers(const LoopOptions& options) {
  progress_ = std::make_unique<Progress>(std::cerr, StyleOfStandardError(), clock_, recipe_->steps(),
                                         options.total_steps, options.max_time - absl::Seconds(state_.loop.seconds()));
  const RunFacts facts{config_.output().model(), config_.arch(),   manifest_.training().device(),
                       GENOSERVE_VERSION,        recipe_->steps(), options.total_steps};
  auto telemetry = Telemetry::Start(config_.schedule(), facts, clock_,
                                    [this](absl::string_view line) { progress_->OnMessage(line); });
  // A port that is taken is the user's to change: no process of the training was lost.
  if (absl::IsUnavailable(telemetry.status())) return absl::FailedPreconditionError(telemetry.status().message());
  GENOSERVE_ASSIGN_OR_RETURN(telemetry_, std::move(telemetry));
  return absl::OkStatus();
}

absl::StatusOr<int64_t> TrainingRun::SaveCheckpoint() {
  const InterruptPause pause;
  saved_ = false;
  Checkpoint checkpoint;
  checkpoint.run = manifest_;
  checkpoint.run.clear_figures();
  checkpoint.run.clear_gate();
  checkpoint.run.clear_allele_frequencies();
  checkpoint.run.mutable_training()->set_seconds(state_.loop.seconds());
  checkpoint.state = state_;
  // A chain is learned anew from its number of steps, and its best weights are those of the last one.
  if (IsChain(config_)) checkpoint.state.best.clear();
  GENOSERVE_ASSIGN_OR_RETURN(checkpoint.recipe, recipe_->SaveState());
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t bytes, WriteCheckpoint(files_, checkpoint_path_, checkpoint));
  saved_ = true;
  return bytes;
}

std::string TrainingRun::CheckpointNotice() const {
  return absl::StrFormat("stopped after step %d; the checkpoint is %s, go on with the same command and --resume",
                         recipe_->steps(), checkpoint_path_);
}

void TrainingRun::CleanUp() const {
  RemoveCheckpoint(files_, checkpoint_path_);
  files_.Remove(RefusedReportPath()).IgnoreError();
}

// The page of a generator that was refused.
std::string TrainingRun::RefusedReportPath() const { return absl::StrCat(checkpoint_path_, ".report.html"); }

absl::StatusOr<TensorMap> TrainingRun::Weights(int64_t* step) const {
  *step = recipe_->steps();
  if (state_.best.empty()) return recipe_->Export();
  *step = state_.loop.best_step();
  if (*step < recipe_->steps()) {
    Tell(absl::StrFormat("taking the best validation, after step %d of %d", *step, recipe_->steps()));
  }
  return ParseSafetensors(state_.best);
}

absl::Status TrainingRun::MeasureAndPublish() {
  int64_t step = 0;
  GENOSERVE_ASSIGN_OR_RETURN(const TensorMap weights, Weights(&step));
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator,
                             MakeGenerator(manifest_, weights, {.device = device_}));
  GENOSERVE_ASSIGN_OR_RETURN(GenotypeMatrix cohort,
                             GenerateLike(*generator, dataset_.training, config_.schedule().seed(), Interrupted));
  const std::string frequencies = EncodeAlleleFrequencies(AlleleFrequencies(cohort));
  GENOSERVE_ASSIGN_OR_RETURN(v1::Quality quality, Measure(std::move(cohort)));
  GENOSERVE_ASSIGN_OR_RETURN(const v1::Gate gate, ReadGate(config_.output().gate()));
  v1::GateResult result = Judge(gate, config_.output().gate(), quality.mutable_figures());
  result.set_published_anyway(!result.passed() && config_.output().publish_anyway());
  *quality.mutable_gate() = result;
  std::cout << RenderTable(quality) << std::flush;
  GENOSERVE_ASSIGN_OR_RETURN(const std::string page, RenderReport(quality));
  if (!result.passed() && !config_.output().publish_anyway()) return Refuse(result, page);
  GENOSERVE_ASSIGN_OR_RETURN(const std::string json, SerializeQuality(quality));
  *manifest_.mutable_figures() = quality.figures();
  *manifest_.mutable_gate() = result;
  manifest_.set_allele_frequencies(frequencies);
  return Publish(weights, step, {{std::string(kQualityFile), json}, {std::string(kReportFile), page}});
}

RealSamples TrainingRun::Real() const {
  return {dataset_.training, dataset_.holdout, dataset_.families, dataset_.variants, dataset_.family_note};
}

absl::StatusOr<v1::Quality> TrainingRun::Measure(GenotypeMatrix cohort) const {
  StageProgress bar("genoserve-trainer", false);
  const auto progress = [&bar](absl::string_view stage, int done, int stages) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    bar.Show(stage, done, stages);
    return absl::OkStatus();
  };
  absl::StatusOr<v1::Quality> quality = MeasureGenerator(manifest_, Real(), std::move(cohort), progress);
  if (!quality.ok()) return quality;
  quality->mutable_inputs()->set_title(config_.output().model());
  quality->mutable_inputs()->set_measured_at(absl::FormatTime(absl::RFC3339_sec, clock_.Now(), absl::UTCTimeZone()));
  return quality;
}

// Says why the generator is not published, and leaves the page for the steward.
absl::Status TrainingRun::Refuse(const v1::GateResult& result, const std::string& page) const {
  std::string message =
      absl::StrFormat("not good enough to publish: %d of %d limits of the gate %s are broken, as told above",
                      result.breaches_size(), result.judged(), result.gate());
  if (files_.WriteFile(RefusedReportPath(), page).ok()) {
    absl::StrAppend(&message, "; its report is ", RefusedReportPath());
  }
  return absl::AbortedError(
      absl::StrCat(message, "; to publish it all the same, add --resume --publish-anyway to the command"));
}

absl::Status TrainingRun::Publish(const TensorMap& weights, int64_t step, std::vector<ArtifactPart> parts) {
  const std::string& model = config_.output().model();
  v1::Manifest published = manifest_;
  v1::Training& training = *published.mutable_training();
  training.set_steps(step);
  training.set_seconds(state_.loop.seconds());
  training.set_finished_at(absl::FormatTime(absl::RFC3339_sec, clock_.Now(), absl::UTCTimeZone()));
  parts.push_back({std::string(kConfigFile), ArtifactConfigText(config_, manifest_)});
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t version,
                             PublishArtifact(*store_, model, published, weights, dataset_.variants, parts));
  std::string digest;
  GENOSERVE_RETURN_IF_ERROR(ReadManifest(*store_, model, version, &digest).status());
  std::cout << absl::StreamFormat("published %s version %d digest %s after %d steps in %s\n", model, version, digest,
                                  step, HumanDuration(absl::Seconds(state_.loop.seconds())))
            << std::flush;
  NudgeServers(config_.output(), version, std::cerr);
  return absl::OkStatus();
}

}  // namespace genoserve
