#include "server/scheduler/tile_scheduler.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "core/base/cpus.h"

namespace genoserve {
namespace {

void Notify(const TilePlanner::Jobs& jobs) {
  for (const auto& job : jobs) {
    if (job->spec().on_ready) job->spec().on_ready();
  }
}

}  // namespace

TileScheduler::TileScheduler(Metrics& metrics, Options options)
    : metrics_(metrics),
      options_(std::move(options)),
      queued_{&metrics.queued_samples("interactive"), &metrics.queued_samples("ci"), &metrics.queued_samples("bulk")},
      live_(std::make_shared<LiveWork>()),
      planner_({options_.workers, options_.max_queued_samples}, live_) {
  planner_.SetPrincipals(options_.principals);
  for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this, i] { Work(i); });
}

TileScheduler::~TileScheduler() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& worker : workers_) worker.join();
}

void TileScheduler::SetPrincipals(const std::vector<v1::Principal>& principals) {
  absl::MutexLock lock(&mutex_);
  planner_.SetPrincipals(principals);
}

absl::StatusOr<std::shared_ptr<GenerationJob>> TileScheduler::Submit(JobSpec spec) {
  absl::MutexLock lock(&mutex_);
  if (!refusal_.ok()) return refusal_;
  auto job = planner_.Submit(std::move(spec), options_.clock->Now());
  TellQueue();
  return job;
}

absl::StatusOr<std::optional<v1::GenotypeBatch>> TileScheduler::Pop(const std::shared_ptr<GenerationJob>& job) {
  std::shared_ptr<PendingBatch> batch;
  {
    absl::MutexLock lock(&mutex_);
    auto popped = planner_.Pop(job, options_.clock->Now());
    if (!popped.ok()) return std::move(popped).status();
    if (*popped == nullptr) return std::nullopt;
    batch = *std::move(popped);
    TellQueue();
  }
  return batch->Take();
}

void TileScheduler::Cancel(GenerationJob& job) {
  TilePlanner::Ring freed;  // without the lock, here and below
  absl::MutexLock lock(&mutex_);
  planner_.End(job, absl::CancelledError("the job was cancelled"), options_.clock->Now());
  freed = planner_.Discarded();
  TellQueue();
}

void TileScheduler::FailAll(const absl::Status& status) {
  TilePlanner::Jobs failed;
  TilePlanner::Ring freed;
  {
    absl::MutexLock lock(&mutex_);
    refusal_ = status;
    failed = planner_.EndAll(status, options_.clock->Now());
    freed = planner_.Discarded();
    TellQueue();
  }
  Notify(failed);
}

TileScheduler::Stats TileScheduler::stats() const {
  absl::MutexLock lock(&mutex_);
  return {live_->jobs,   live_->batches, live_->bytes, planner_.queued_samples(), planner_.taken_samples(),
          device_broken_};
}

void TileScheduler::Work(int worker) {
  const std::vector<int> cpus = AllowedCpus();
  // With fewer workers than processors, as under a quota, all servers of a machine would crowd on the first ones.
  if (options_.pin && static_cast<size_t>(options_.workers) == cpus.size()) {
    PinThisThread(cpus[static_cast<size_t>(worker)]);
  }
  Tile tile;
  while (TakeTile(tile)) {
    const absl::Time begin = options_.clock->Now();
    const absl::Status status = tile.Generate();
    const absl::Time end = options_.clock->Now();
    metrics_.ObserveTile(end - begin, tile.samples());
    TilePlanner::Jobs ready;
    TilePlanner::Ring freed;
    {
      absl::MutexLock lock(&mutex_);
      planner_.Publish(tile, status, end - begin, end, ready);
      freed = planner_.Discarded();
      if (absl::IsUnavailable(status)) device_broken_ = true;
      if (!status.ok()) TellQueue();
    }
    if (!status.ok()) spdlog::error("a tile could not be generated: {}", std::string(status.message()));
    Notify(ready);
    tile.Clear();
  }
}

bool TileScheduler::TakeTile(Tile& tile) {
  while (true) {
    TilePlanner::Jobs expired;
    TilePlanner::Ring freed;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &TileScheduler::HasWork));
      if (stopping_) return false;
      if (planner_.Take(options_.clock->Now(), tile, expired) && expired.empty()) return true;
      freed = planner_.Discarded();
      TellQueue();
    }
    Notify(expired);
    if (tile.samples() > 0) return true;
  }
}

void TileScheduler::TellQueue() {
  for (size_t i = 0; i < kJobClasses; ++i) queued_[i]->Set(static_cast<double>(planner_.queued_by_class()[i]));
}

}  // namespace genoserve
