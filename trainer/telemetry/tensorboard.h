// Event files that TensorBoard draws a training from.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "genoserve/tensorboard/event.pb.h"
#include "trainer/loop/observer.h"
#include "trainer/telemetry/event_file.h"

namespace genoserve {

/// Writes scalars: loss/NAME, each the mean since the point before; speed/steps_per_second; validation/FIGURE and
/// validation/score. A run that is resumed or rolled back tells the reader to drop what it has of later steps, so that
/// one folder shows one line. Not thread-safe.
class TensorBoardWriter final : public TrainingObserver {
 public:
  /// Where what could not be written is told.
  using Say = std::function<void(absl::string_view)>;

  /// Begins a new file in `folder` for a run of which `first_step` steps are done. `clock` must outlive the object.
  static absl::StatusOr<std::unique_ptr<TensorBoardWriter>> Create(const std::string& folder, int64_t first_step,
                                                                   const Clock& clock, Say say);

  /// A point comes after at least 10 steps and a second, or after 10 seconds: 60 bytes a scalar, under 40 MB a day.
  void OnStep(int64_t step, const Losses& losses) override;
  void OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) override;
  void OnCheckpoint(int64_t step, int64_t bytes, absl::Duration took) override;
  void OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) override;
  /// Writes the last point.
  void OnEnd() override;

 private:
  TensorBoardWriter(std::unique_ptr<EventFile> file, const Clock& clock, Say say);

  // What the reader has of `step` and later steps holds no more.
  tensorboard::Event Start(int64_t step) const;
  tensorboard::Event At(int64_t step) const;
  void Write(const tensorboard::Event& event);
  void WritePoint(int64_t step);
  // Time that was not spent on steps is left out of their rate.
  void Pause();

  const std::unique_ptr<EventFile> file_;
  const Clock& clock_;
  const Say say_;
  bool failing_ = false;     // the last event was left out, which has been told
  absl::Time last_;          // when something came to its end
  absl::Duration stepping_;  // time in steps since the last point
  int64_t step_ = 0;
  Losses sums_;  // since the last point
  int64_t summed_ = 0;
};

}  // namespace genoserve
