// What Prometheus scrapes of a training. Names are in seconds, bytes and steps; every series carries the model.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "trainer/loop/observer.h"
#include "trainer/telemetry/run_facts.h"

namespace genoserve {

/// All metrics of one training. The loop tells it from one thread; Serialize and WhyStalled may be called from others
/// meanwhile.
class TrainingMetrics final : public TrainingObserver {
 public:
  /// A training in which nothing happens for this long hangs: steps take seconds, validations minutes.
  static constexpr absl::Duration kStall = absl::Minutes(30);

  /// `clock` must outlive the object.
  TrainingMetrics(const RunFacts& facts, const Clock& clock);

  void OnStep(int64_t step, const Losses& losses) override;
  void OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) override;
  void OnCheckpoint(int64_t step, int64_t bytes, absl::Duration took) override;
  void OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) override;
  void OnEnd() override;

  /// The Prometheus text format.
  std::string Serialize();

  /// Why the process should be started anew: no step, validation or checkpoint came to its end for kStall. Empty while
  /// all is well, and once the loop has ended, since what follows has no steps.
  std::string WhyStalled() const;

 private:
  using Labels = prometheus::Labels;

  prometheus::Gauge& Gauge(const char* name, const char* help);
  prometheus::Counter& Counter(const char* name, const char* help);
  // Something came to its end: the time since the last such thing.
  absl::Duration Advance();

  const Clock& clock_;
  const Labels labels_;
  prometheus::Registry registry_;
  prometheus::Gauge& step_;
  prometheus::Gauge& planned_;
  prometheus::Histogram& step_seconds_;
  prometheus::Gauge& last_step_time_;
  prometheus::Family<prometheus::Gauge>& losses_;
  prometheus::Counter& validations_;
  prometheus::Family<prometheus::Gauge>& figures_;
  // Added with the first validation and checkpoint: before these there is nothing to tell.
  prometheus::Family<prometheus::Gauge>& score_;
  prometheus::Family<prometheus::Gauge>& best_score_;
  prometheus::Family<prometheus::Gauge>& best_step_;
  prometheus::Family<prometheus::Gauge>& checkpoint_time_;
  prometheus::Family<prometheus::Gauge>& checkpoint_bytes_;
  prometheus::Family<prometheus::Gauge>& checkpoint_seconds_;
  prometheus::Counter& roll_backs_;
  prometheus::Gauge& resident_;
  mutable absl::Mutex mutex_;
  absl::Time last_ ABSL_GUARDED_BY(mutex_);  // when something came to its end
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace genoserve
