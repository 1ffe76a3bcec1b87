// Has workers generate the tiles that a TilePlanner cuts from jobs: continuous batching by tiles, not by requests.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "server/scheduler/generation_job.h"
#include "server/scheduler/tile_planner.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// The planner's rules under one mutex, and the workers that take tiles from it and generate them without it. What a
/// sample becomes depends on none of this, which Generator guarantees. Thread-safe.
class TileScheduler {
 public:
  struct Options {
    int workers = 1;
    bool pin = false;                            ///< binds each worker to a processor of its own, if there are as many
    int64_t max_queued_samples = 0;              ///< admitted but not yet popped, of all jobs
    std::vector<v1::Principal> principals = {};  ///< as ServerConfig has them; others have the defaults
    const Clock* clock = &Clock::Steady();
  };

  /// What goes on, for tests and health.
  struct Stats {
    int64_t live_jobs = 0;
    int64_t live_batches = 0;    ///< of all rings
    int64_t buffered_bytes = 0;  ///< of those batches
    int64_t queued_samples = 0;
    int64_t generated_samples = 0;  ///< since the start, sent or not
    bool device_broken = false;
  };

  TileScheduler(Metrics& metrics, Options options);
  /// Ends the workers after the tiles that they compute. Jobs may be held longer, but yield nothing more.
  ~TileScheduler();

  /// As TilePlanner::SetPrincipals says.
  void SetPrincipals(const std::vector<v1::Principal>& principals);

  /// Admits a job, as TilePlanner::Submit says. Cancel it where not all of its batches are popped. After FailAll the
  /// status that it told.
  absl::StatusOr<std::shared_ptr<GenerationJob>> Submit(JobSpec spec);

  /// The next batch of a job; nothing where it is not ready yet, in which case on_ready is called once it is. The
  /// status of a job that failed.
  absl::StatusOr<std::optional<v1::GenotypeBatch>> Pop(const std::shared_ptr<GenerationJob>& job);

  /// Ends a job: its samples leave the queue and its ring is emptied. Does nothing where it has ended.
  void Cancel(GenerationJob& job);

  /// Ends all jobs, which their streams are told, and refuses all that come later, with a status.
  void FailAll(const absl::Status& status);

  Stats stats() const;

 private:
  void Work(int worker);
  bool TakeTile(Tile& tile);
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || planner_.HasWork(); }
  void TellQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Metrics& metrics_;
  const Options options_;
  const std::array<prometheus::Gauge*, kJobClasses> queued_;
  const std::shared_ptr<LiveWork> live_;

  mutable absl::Mutex mutex_;
  TilePlanner planner_ ABSL_GUARDED_BY(mutex_);
  bool device_broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);  // of FailAll
  std::vector<std::thread> workers_;
};

}  // namespace genoserve
