// All that a configuration asks for to watch a training by, beside its progress line.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/clock.h"
#include "core/http/http_server.h"
#include "genoserve/v1/train.pb.h"
#include "trainer/loop/observer.h"
#include "trainer/telemetry/run_facts.h"

namespace genoserve {

/// Metrics and a probe over HTTP, and event files. The loop tells it from one thread; HTTP is answered from others.
class Telemetry final : public TrainingObserver {
 public:
  /// Opens what `schedule` names: metrics_port on metrics_host, tensorboard. UNAVAILABLE where the port is taken;
  /// errors of the folder name it. `say` is told what is left out later on; it and `clock` must outlive the object.
  static absl::StatusOr<std::unique_ptr<Telemetry>> Start(const v1::TrainSchedule& schedule, const RunFacts& facts,
                                                          const Clock& clock,
                                                          std::function<void(absl::string_view)> say);

  void OnStep(int64_t step, const Losses& losses) override;
  void OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) override;
  void OnCheckpoint(int64_t step, int64_t bytes, absl::Duration took) override;
  void OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) override;
  void OnMessage(absl::string_view line) override;
  void OnEnd() override;

 private:
  Telemetry() = default;

  std::vector<std::unique_ptr<TrainingObserver>> observers_;
  std::unique_ptr<HttpServer> http_;  // asks the observers, and so goes first
};

}  // namespace genoserve
