// One training run: from a data set to a published artifact.
#pragma once

#include <memory>
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
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/generator_quality.h"
#include "trainer/loop/observer.h"
#include "trainer/loop/training_loop.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Trains, measures and publishes. Not thread-safe.
class TrainingRun {
 public:
  /// Configuration and store must outlive the object.
  TrainingRun(const v1::TrainConfig& config, bool resume, CheckpointStore& store, Dataset dataset, DeviceKind device);

  /// Something that watches the training beside the progress line; it must outlive Run.
  void AddObserver(TrainingObserver& observer) { observers_.push_back(&observer); }

  /// As Train tells.
  absl::Status Run();

 private:
  absl::Status SetUp();
  absl::Status Resume();
  absl::Status PrepareCheckpoint() const;
  absl::StatusOr<LoopEnd> Loop();
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
  const bool resume_;
  CheckpointStore& store_;
  const Dataset dataset_;
  v1::Manifest manifest_;
  const DeviceKind device_;
  const std::string checkpoint_path_;
  std::vector<TrainingObserver*> observers_;
  std::unique_ptr<Recipe> recipe_;
  RunState state_;
  bool saved_ = false;  // the last checkpoint could be written
};

}  // namespace genoserve
