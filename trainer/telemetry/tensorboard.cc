#include "trainer/telemetry/tensorboard.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr int64_t kPointSteps = 10;
constexpr absl::Duration kPointTime = absl::Seconds(1);
constexpr absl::Duration kLongestPoint = absl::Seconds(10);

void Add(std::string tag, double value, tensorboard::Event& event) {
  tensorboard::Summary::Value& scalar = *event.mutable_summary()->add_value();
  scalar.set_tag(std::move(tag));
  scalar.set_simple_value(static_cast<float>(value));
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(std::unique_ptr<EventFile> file, const Clock& clock, Say say)
    : file_(std::move(file)), clock_(clock), say_(std::move(say)), last_(clock.Now()) {}

absl::StatusOr<std::unique_ptr<TensorBoardWriter>> TensorBoardWriter::Create(const std::string& folder,
                                                                             int64_t first_step, const Clock& clock,
                                                                             Say say) {
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<EventFile> file, EventFile::Create(folder, clock.Now()));
  std::unique_ptr<TensorBoardWriter> writer(new TensorBoardWriter(std::move(file), clock, std::move(say)));
  tensorboard::Event version = writer->At(0);
  version.set_file_version("brain.Event:2");
  GENOSERVE_RETURN_IF_ERROR(writer->file_->Append(version.SerializeAsString()));
  GENOSERVE_RETURN_IF_ERROR(writer->file_->Append(writer->Start(first_step + 1).SerializeAsString()));
  return writer;
}

tensorboard::Event TensorBoardWriter::At(int64_t step) const {
  tensorboard::Event event;
  event.set_wall_time(absl::ToDoubleSeconds(clock_.Now() - absl::UnixEpoch()));
  event.set_step(step);
  return event;
}

tensorboard::Event TensorBoardWriter::Start(int64_t step) const {
  tensorboard::Event event = At(step);
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  return event;
}

void TensorBoardWriter::Write(const tensorboard::Event& event) {
  const absl::Status status = file_->Append(event.SerializeAsString());
  if (!status.ok() && !failing_) say_(absl::StrCat("TensorBoard misses points: ", status.message()));
  failing_ = !status.ok();
}

void TensorBoardWriter::Pause() { last_ = clock_.Now(); }

void TensorBoardWriter::OnStep(int64_t step, const Losses& losses) {
  const absl::Time now = clock_.Now();
  stepping_ += now - last_;
  last_ = now;
  step_ = step;
  if (sums_.size() != losses.size() || summed_ == 0) {
    sums_ = losses;
    summed_ = 1;
  } else {
    for (size_t i = 0; i < losses.size(); ++i) sums_[i].second += losses[i].second;
    ++summed_;
  }
  if ((summed_ >= kPointSteps && stepping_ >= kPointTime) || stepping_ >= kLongestPoint) WritePoint(step);
}

void TensorBoardWriter::WritePoint(int64_t step) {
  tensorboard::Event event = At(step);
  const auto steps = static_cast<double>(summed_);
  for (const auto& [name, sum] : sums_) Add(absl::StrCat("loss/", name), sum / steps, event);
  if (stepping_ > absl::ZeroDuration()) {
    Add("speed/steps_per_second", steps / absl::ToDoubleSeconds(stepping_), event);
  }
  Write(event);
  summed_ = 0;
  stepping_ = absl::ZeroDuration();
}

void TensorBoardWriter::OnValidation(int64_t step, double score, const ValidationFigures& figures, bool /*best*/) {
  tensorboard::Event event = At(step);
  Add("validation/score", score, event);
  for (const auto& [name, value] : figures) Add(absl::StrCat("validation/", name), value, event);
  Write(event);
  Pause();
}

void TensorBoardWriter::OnCheckpoint(int64_t /*step*/, int64_t /*bytes*/, absl::Duration /*took*/) { Pause(); }

void TensorBoardWriter::OnRollBack(int64_t /*from_step*/, int64_t to_step, absl::string_view /*why*/) {
  Write(Start(to_step + 1));
  summed_ = 0;
  stepping_ = absl::ZeroDuration();
  Pause();
}

void TensorBoardWriter::OnEnd() {
  if (summed_ > 0) WritePoint(step_);
}

}  // namespace genoserve
