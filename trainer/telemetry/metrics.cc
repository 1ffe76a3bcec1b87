#include "trainer/telemetry/metrics.h"

#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "trainer/loop/progress.h"

namespace genoserve {
namespace {

// Seconds. A step of a small panel takes milliseconds, one of 50,000 variants seconds.
const prometheus::Histogram::BucketBoundaries& StepTimes() {
  static const auto* const kBuckets = new prometheus::Histogram::BucketBoundaries{
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return *kBuckets;
}

auto& Gauges(prometheus::Registry& registry, const prometheus::Labels& labels, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Labels(labels).Register(registry);
}

double UnixSeconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

// Of this process; 0 where the kernel does not tell.
double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0;
  int64_t resident = 0;  // pages
  statm >> size >> resident;
  return statm ? static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

prometheus::Gauge& TrainingMetrics::Gauge(const char* name, const char* help) {
  return Gauges(registry_, labels_, name, help).Add({});
}

prometheus::Counter& TrainingMetrics::Counter(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Labels(labels_).Register(registry_).Add({});
}

TrainingMetrics::TrainingMetrics(const RunFacts& facts, const Clock& clock)
    : clock_(clock),
      labels_{{"model", facts.model}},
      step_(Gauge("genoserve_trainer_step", "Generator steps done, of the whole run.")),
      planned_(Gauge("genoserve_trainer_planned_steps", "Generator steps of the whole run.")),
      step_seconds_(prometheus::BuildHistogram()
                        .Name("genoserve_trainer_step_seconds")
                        .Help("Generator steps of this process, with the critic steps that belong to them.")
                        .Labels(labels_)
                        .Register(registry_)
                        .Add({}, StepTimes())),
      last_step_time_(
          Gauge("genoserve_trainer_last_step_timestamp_seconds", "When the last step was done, or the run began.")),
      losses_(Gauges(registry_, labels_, "genoserve_trainer_loss", "Losses of the last step.")),
      validations_(Counter("genoserve_trainer_validations_total", "Validations on the hold-out by this process.")),
      figures_(Gauges(registry_, labels_, "genoserve_trainer_validation", "Figures of the last validation.")),
      score_(Gauges(registry_, labels_, "genoserve_trainer_score", "Score of the last validation.")),
      best_score_(Gauges(registry_, labels_, "genoserve_trainer_best_score", "Score of the best validation so far.")),
      best_step_(Gauges(registry_, labels_, "genoserve_trainer_best_step", "Step of the best validation so far.")),
      checkpoint_time_(Gauges(registry_, labels_, "genoserve_trainer_checkpoint_timestamp_seconds",
                              "When the last checkpoint was written.")),
      checkpoint_bytes_(
          Gauges(registry_, labels_, "genoserve_trainer_checkpoint_bytes", "Size of the last checkpoint.")),
      checkpoint_seconds_(Gauges(registry_, labels_, "genoserve_trainer_checkpoint_seconds",
                                 "How long the last checkpoint took to write.")),
      roll_backs_(Counter("genoserve_trainer_roll_backs_total", "Times that this process went back after divergence.")),
      resident_(Gauge("genoserve_trainer_resident_memory_bytes", "Memory of this process.")),
      last_(clock.Now()) {
  Gauges(registry_, labels_, "genoserve_trainer_build_info", "Always 1; the labels tell the build and what it trains.")
      .Add({{"version", facts.code_version}, {"arch", facts.arch}, {"device", facts.device}})
      .Set(1);
  step_.Set(static_cast<double>(facts.first_step));
  planned_.Set(static_cast<double>(facts.total_steps));
  last_step_time_.Set(UnixSeconds(clock.Now()));
}

absl::Duration TrainingMetrics::Advance() {
  const absl::Time now = clock_.Now();
  const absl::MutexLock lock(&mutex_);
  const absl::Duration took = now - last_;
  last_ = now;
  return took;
}

void TrainingMetrics::OnStep(int64_t step, const Losses& losses) {
  step_seconds_.Observe(absl::ToDoubleSeconds(Advance()));
  step_.Set(static_cast<double>(step));
  last_step_time_.Set(UnixSeconds(clock_.Now()));
  for (const auto& [name, value] : losses) losses_.Add({{"loss", name}}).Set(value);
}

void TrainingMetrics::OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) {
  Advance();
  validations_.Increment();
  for (const auto& [name, value] : figures) figures_.Add({{"figure", name}}).Set(value);
  score_.Add({}).Set(score);
  if (!best) return;
  best_score_.Add({}).Set(score);
  best_step_.Add({}).Set(static_cast<double>(step));
}

void TrainingMetrics::OnCheckpoint(int64_t /*step*/, int64_t bytes, absl::Duration took) {
  Advance();
  checkpoint_time_.Add({}).Set(UnixSeconds(clock_.Now()));
  checkpoint_bytes_.Add({}).Set(static_cast<double>(bytes));
  checkpoint_seconds_.Add({}).Set(absl::ToDoubleSeconds(took));
}

void TrainingMetrics::OnRollBack(int64_t /*from_step*/, int64_t to_step, absl::string_view /*why*/) {
  Advance();
  step_.Set(static_cast<double>(to_step));
  roll_backs_.Increment();
}

void TrainingMetrics::OnEnd() {
  const absl::MutexLock lock(&mutex_);
  ended_ = true;
}

std::string TrainingMetrics::Serialize() {
  resident_.Set(ResidentBytes());
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

std::string TrainingMetrics::WhyStalled() const {
  const absl::MutexLock lock(&mutex_);
  const absl::Duration silence = clock_.Now() - last_;
  if (ended_ || silence < kStall) return "";
  return absl::StrCat("no step, validation or checkpoint for ", HumanDuration(silence));
}

}  // namespace genoserve
