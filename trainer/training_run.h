// One training run: from a data set to a published artifact.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/artifact.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/model/generator.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/train.pb.h"
#include "trainer/dataset/dataset.h"
#include "trainer/distributed/process_group.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/generator_quality.h"
#include "trainer/loop/progress.h"
#include "trainer/loop/training_loop.h"
#include "trainer/objective/recipe.h"
#include "trainer/telemetry/telemetry.h"
#include "trainer/train_command.h"

namespace genoserve {

/// Trains, measures and publishes. Not thread-safe.
class TrainingRun {
 public:
  /// Configuration, store and group must outlive the object. Each process of the group has a run with the same
  /// configuration and data; process 0 alone has a store, reads and writes checkpoints, validates and publishes, and
  /// null stands for the store of the others.
  TrainingRun(const v1::TrainConfig& config, const TrainStart& start, CheckpointStore* store, Dataset dataset,
              DeviceKind device, ProcessGroup& group);

  /// As Train tells.
  absl::Status Run();

 private:
  absl::Status SetUp();
  absl::Status TrainAndPublish();
  absl::Status Resume();
  // Of process 0: the checkpoint to go on from, if any.
  absl::StatusOr<std::optional<FoundCheckpoint>> FindCheckpoint() const;
  bool SetsAside(const absl::Status& unfit) const;
  bool leads() const { return group_.rank() == 0; }
  absl::Status PrepareCheckpoint() const;
  absl::StatusOr<LoopEnd> Loop();
  // Of process 0: begins to tell how the training goes.
  absl::Status StartObservers(const LoopOptions& options);
  LoopOptions OptionsOfLoop() const;
  absl::StatusOr<int64_t> SaveCheckpoint();
  void CleanUp() const;
  std::string CheckpointNotice() const;
  std::string RefusedReportPath() const;

  // What is published: the best validation's weights where there is one, else those of the last step.
  absl::StatusOr<TensorMap> Weights(int64_t* step) const;
  absl::Status MeasureAndPublish();
  absl::StatusOr<v1::Quality> Measure(GenotypeMatrix cohort) const;
  absl::Status Refuse(const v1::GateResult& result, const std::string& page) const;
  absl::Status Publish(const TensorMap& weights, int64_t step, std::vector<ArtifactPart> parts);
  RealSamples Real() const;

  const FileSystem& files_ = FileSystem::Posix();
  const Clock& clock_ = Clock::Real();
  const v1::TrainConfig& config_;
  const TrainStart start_;
  CheckpointStore* const store_;
  const Dataset dataset_;
  v1::Manifest manifest_;
  const DeviceKind device_;
  ProcessGroup& group_;
  const std::string checkpoint_path_;
  std::unique_ptr<Recipe> recipe_;
  RunState state_;
  std::unique_ptr<Progress> progress_;
  // Answers until the end of the run: a probe that gets no answer while the figures are made would kill it.
  std::unique_ptr<Telemetry> telemetry_;
  bool saved_ = false;  // the last checkpoint could be written
};

}  // namespace genoserve
