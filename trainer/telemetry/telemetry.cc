#include "trainer/telemetry/telemetry.h"

#include <string>
#include <utility>

#include "core/base/status.h"
#include "trainer/telemetry/metrics.h"
#include "trainer/telemetry/tensorboard.h"

namespace genoserve {

absl::StatusOr<std::unique_ptr<Telemetry>> Telemetry::Start(const v1::TrainSchedule& schedule, const RunFacts& facts,
                                                            const Clock& clock,
                                                            std::function<void(absl::string_view)> say) {
  std::unique_ptr<Telemetry> telemetry(new Telemetry());
  if (!schedule.tensorboard().empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(
        telemetry->observers_.emplace_back(),
        TensorBoardWriter::Create(schedule.tensorboard(), facts.first_step, clock, std::move(say)));
  }
  if (schedule.metrics_port() != 0) {
    auto metrics = std::make_unique<TrainingMetrics>(facts, clock);
    TrainingMetrics* const asked = metrics.get();
    telemetry->observers_.push_back(std::move(metrics));
    GENOSERVE_ASSIGN_OR_RETURN(
        telemetry->http_,
        HttpServer::Start(
            schedule.metrics_host().empty() ? "127.0.0.1" : schedule.metrics_host(), schedule.metrics_port(),
            {.metrics = [asked] { return asked->Serialize(); }, .livez = [asked] { return asked->WhyStalled(); }}));
  }
  return telemetry;
}

void Telemetry::OnStep(int64_t step, const Losses& losses) {
  for (const auto& observer : observers_) observer->OnStep(step, losses);
}

void Telemetry::OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) {
  for (const auto& observer : observers_) observer->OnValidation(step, score, figures, best);
}

void Telemetry::OnCheckpoint(int64_t step, int64_t bytes, absl::Duration took) {
  for (const auto& observer : observers_) observer->OnCheckpoint(step, bytes, took);
}

void Telemetry::OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) {
  for (const auto& observer : observers_) observer->OnRollBack(from_step, to_step, why);
}

void Telemetry::OnMessage(absl::string_view line) {
  for (const auto& observer : observers_) observer->OnMessage(line);
}

void Telemetry::OnEnd() {
  for (const auto& observer : observers_) observer->OnEnd();
}

}  // namespace genoserve
