#include "trainer/train_command.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "core/artifact/artifact.h"
#include "core/artifact/manifest_json.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/quality/gate.h"
#include "core/quality/quality_json.h"
#include "core/quality/report/report.h"
#include "core/quality/report/table.h"
#include "core/quality/stage_progress.h"
#include "core/store/checkpoint_store.h"
#include "trainer/dataset/dataset.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/generator_quality.h"
#include "trainer/loop/interrupt.h"
#include "trainer/loop/training_loop.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

void Tell(absl::string_view line) { std::cerr << line << std::endl; }

// The folder must be there, unless it may be made, and must be writable, before hours are spent.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenForPublishing(const v1::TrainConfig& config) {
  if (!config.output().create_store()) {
    const auto store = OpenStore(config.output().store(), false);
    if (absl::IsNotFound(store.status())) {
      return Annotate(store.status(), "add --create-store to make it");
    }
    GENOSERVE_RETURN_IF_ERROR(store.status());
  }
  return OpenStore(config.output().store(), true);
}

DatasetOptions OptionsOf(const v1::TrainConfig& config, GenotypeSource source) {
  const v1::TrainInput& input = config.input();
  return {std::move(source),
          IsDiploidPreset(config.arch()),
          input.panel(),
          input.label_column(),
          input.pheno(),
          {input.pheno_names().begin(), input.pheno_names().end()},
          {input.categorical().begin(), input.categorical().end()},
          input.holdout_share()};
}

std::string Describe(const Dataset& dataset) {
  const v1::Manifest& manifest = dataset.manifest;
  std::string text =
      absl::StrFormat("%d samples, %d more kept apart to judge by, %d variants", manifest.training().samples(),
                      manifest.training().holdout_samples(), manifest.variant_count());
  if (manifest.labels_size() > 0) {
    absl::StrAppendFormat(&text, ", %d labels of %s", manifest.labels_size(), manifest.label_column());
  }
  if (manifest.phenotypes_size() > 0) absl::StrAppendFormat(&text, ", %d phenotypes", manifest.phenotypes_size());
  if (manifest.training().imputed_calls() > 0) {
    absl::StrAppendFormat(&text, "; %d missing calls filled in by allele frequency",
                          manifest.training().imputed_calls());
  }
  return text;
}

// One training: the state that its phases share.
class TrainingRun {
 public:
  TrainingRun(const v1::TrainConfig& config, bool resume, CheckpointStore& store, Dataset dataset, DeviceKind device)
      : config_(config),
        resume_(resume),
        store_(store),
        dataset_(std::move(dataset)),
        manifest_(dataset_.manifest),
        device_(device),
        checkpoint_path_(CheckpointPath(config)) {}

  absl::Status Run() {
    GENOSERVE_RETURN_IF_ERROR(SetUp());
    GENOSERVE_ASSIGN_OR_RETURN(const LoopEnd end, Loop());
    if (end == LoopEnd::kInterrupted) return absl::CancelledError(CheckpointNotice());
    absl::Status status = MeasureAndPublish();
    if (status.ok() || worthless_) {
      RemoveCheckpoint();
      return status;
    }
    // The training itself is whole: it must not be lost to a full disk, a signal or a gate.
    if (!SaveCheckpoint().ok() || absl::IsAborted(status)) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(), "; ", CheckpointNotice()));
  }

 private:
  absl::Status SetUp() {
    GENOSERVE_RETURN_IF_ERROR(ApplyPreset(config_.arch(), manifest_));
    v1::Training& training = *manifest_.mutable_training();
    if (config_.recipe().batch_size() > 0) training.mutable_recipe()->set_batch_size(config_.recipe().batch_size());
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
    GENOSERVE_ASSIGN_OR_RETURN(recipe_,
                               MakeRecipe(manifest_, dataset_.training, training.seed(), training.steps(), device_));
    return resume_ ? Resume() : CheckNoCheckpoint();
  }

  absl::Status Resume() {
    if (!files_.Exists(checkpoint_path_)) {
      Tell(absl::StrCat("there is no checkpoint ", checkpoint_path_, ": beginning with the first step"));
      return absl::OkStatus();
    }
    GENOSERVE_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ReadCheckpoint(files_, checkpoint_path_));
    if (const absl::Status same = CheckSameRun(checkpoint.run, manifest_); !same.ok()) {
      return Annotate(same, checkpoint_path_);
    }
    if (const absl::Status restored = recipe_->RestoreState(checkpoint.state); !restored.ok()) {
      return Annotate(restored, checkpoint_path_);
    }
    seconds_before_ = checkpoint.run.training().seconds();
    Tell(absl::StrFormat("going on from %s after step %d", checkpoint_path_, recipe_->steps()));
    return absl::OkStatus();
  }

  absl::Status CheckNoCheckpoint() const {
    if (!files_.Exists(checkpoint_path_)) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(checkpoint_path_, ": holds an unfinished training; go on with it by --resume, or remove it"));
  }

  absl::StatusOr<LoopEnd> Loop() {
    LoopOptions options;
    options.total_steps = manifest_.training().steps();
    const double most = config_.schedule().max_seconds() > 0 ? config_.schedule().max_seconds()
                        : config_.schedule().quick()         ? kQuickSeconds
                                                             : 0;
    if (most > 0) options.max_time = absl::Seconds(most);
    CatchInterrupts();
    Tell(absl::StrFormat("training %s, %d steps on %s; Ctrl-C writes a checkpoint and stops", config_.arch(),
                         options.total_steps, manifest_.training().device()));
    began_ = clock_.Now();
    Progress progress(std::cerr, StyleOfStandardError(), clock_, recipe_->steps(), options.total_steps,
                      options.max_time);
    absl::StatusOr<LoopEnd> end = RunTrainingLoop(
        *recipe_, options, clock_, Interrupted, [this] { return SaveCheckpoint(); }, progress);
    trained_seconds_ = Seconds();
    return end;
  }

  double Seconds() const { return seconds_before_ + absl::ToDoubleSeconds(clock_.Now() - began_); }

  // Of the checkpoint whose place the user did not choose.
  absl::Status MakeCheckpointFolder() const {
    if (!config_.schedule().checkpoint().empty()) return absl::OkStatus();
    absl::Status made = files_.MakeFolder(JoinPath(config_.output().store(), ".checkpoints"));
    return absl::IsAlreadyExists(made) ? absl::OkStatus() : made;
  }

  absl::Status SaveCheckpoint() {
    GENOSERVE_ASSIGN_OR_RETURN(std::string state, recipe_->SaveState());
    GENOSERVE_RETURN_IF_ERROR(MakeCheckpointFolder());
    Checkpoint checkpoint{manifest_, std::move(state)};
    checkpoint.run.clear_figures();
    checkpoint.run.clear_gate();
    checkpoint.run.mutable_training()->set_seconds(Seconds());
    return WriteCheckpoint(files_, checkpoint_path_, checkpoint);
  }

  std::string CheckpointNotice() const {
    return absl::StrFormat("stopped after step %d; the checkpoint is %s, go on with the same command and --resume",
                           recipe_->steps(), checkpoint_path_);
  }

  void RemoveCheckpoint() const {
    files_.Remove(checkpoint_path_).IgnoreError();
    files_.Remove(RefusedReportPath()).IgnoreError();
    // The folder goes with the last checkpoint in it; this fails where there are others.
    if (config_.schedule().checkpoint().empty()) ::rmdir(JoinPath(config_.output().store(), ".checkpoints").c_str());
  }

  // The page of a generator that was refused.
  std::string RefusedReportPath() const { return absl::StrCat(checkpoint_path_, ".report.html"); }

  absl::Status MeasureAndPublish() {
    GENOSERVE_ASSIGN_OR_RETURN(const TensorMap weights, recipe_->Export());
    SetUpGeneratorThreads();
    const auto generator = MakeGenerator(manifest_, weights, device_);
    if (absl::IsInvalidArgument(generator.status())) {
      worthless_ = true;
      return absl::AbortedError(
          absl::StrCat("the generator is not good enough to publish: ", generator.status().message()));
    }
    GENOSERVE_RETURN_IF_ERROR(generator.status());
    GENOSERVE_ASSIGN_OR_RETURN(GenotypeMatrix cohort,
                               GenerateLike(**generator, dataset_.training, config_.schedule().seed(), Interrupted));
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
    return Publish(weights, {{std::string(kQualityFile), json}, {std::string(kReportFile), page}});
  }

  RealSamples Real() const {
    return {dataset_.training, dataset_.holdout, dataset_.families, dataset_.variants, dataset_.family_note};
  }

  absl::StatusOr<v1::Quality> Measure(GenotypeMatrix cohort) const {
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
  absl::Status Refuse(const v1::GateResult& result, const std::string& page) const {
    std::string message =
        absl::StrFormat("not good enough to publish: %d of %d limits of the gate %s are broken, as told above",
                        result.breaches_size(), result.judged(), result.gate());
    if (MakeCheckpointFolder().ok() && files_.WriteFile(RefusedReportPath(), page).ok()) {
      absl::StrAppend(&message, "; its report is ", RefusedReportPath());
    }
    return absl::AbortedError(
        absl::StrCat(message, "; to publish it all the same, add --resume --publish-anyway to the command"));
  }

  absl::Status Publish(const TensorMap& weights, const std::vector<ArtifactPart>& parts) {
    v1::Manifest published = manifest_;
    v1::Training& training = *published.mutable_training();
    training.set_steps(recipe_->steps());
    training.set_seconds(trained_seconds_);
    training.set_finished_at(absl::FormatTime(absl::RFC3339_sec, clock_.Now(), absl::UTCTimeZone()));
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t version, PublishArtifact(store_, config_.output().model(), published,
                                                                      weights, dataset_.variants, parts));
    std::string digest;
    GENOSERVE_RETURN_IF_ERROR(ReadManifest(store_, config_.output().model(), version, &digest).status());
    std::cout << absl::StreamFormat("published %s version %d digest %s after %d steps in %s\n",
                                    config_.output().model(), version, digest, recipe_->steps(),
                                    HumanDuration(absl::Seconds(trained_seconds_)))
              << std::flush;
    return absl::OkStatus();
  }

  const FileSystem& files_ = FileSystem::Posix();
  const Clock& clock_ = Clock::Real();
  const v1::TrainConfig& config_;
  const bool resume_;
  CheckpointStore& store_;
  const Dataset dataset_;
  v1::Manifest manifest_;
  const DeviceKind device_;
  const std::string checkpoint_path_;
  std::unique_ptr<Recipe> recipe_;
  absl::Time began_;
  double seconds_before_ = 0;   // of the run before it was resumed
  double trained_seconds_ = 0;  // of all of it
  bool worthless_ = false;      // the weights are not finite
};

}  // namespace

absl::Status Train(const v1::TrainConfig& config, bool resume) {
  GENOSERVE_ASSIGN_OR_RETURN(GenotypeSource source, SourceOf(config.input()));
  GENOSERVE_RETURN_IF_ERROR(ReadGate(config.output().gate()).status());
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceChoice choice, ParseDeviceChoice(config.schedule().device()));
  GENOSERVE_ASSIGN_OR_RETURN(Dataset dataset, LoadDataset(OptionsOf(config, std::move(source))));
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointStore> store, OpenForPublishing(config));
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceKind device, ResolveDevice(choice));
  Tell(Describe(dataset));
  return TrainingRun(config, resume, *store, std::move(dataset), device).Run();
}

}  // namespace genoserve
