// Cuts jobs into tiles and has workers generate them: continuous batching by tiles instead of by requests.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "core/genotype/genotype_matrix.h"
#include "server/scheduler/generation_job.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// Workers pull tiles from one queue of runnable jobs under one mutex, in turn. A tile that its first job does not fill
/// takes samples of other jobs of the same version along. A job whose ring is full, that was cancelled or whose
/// deadline has passed is not runnable, so that a slow reader costs no compute. Batches leave a job in order. What a
/// sample becomes depends on none of this, which Generator guarantees. Thread-safe.
class TileScheduler {
 public:
  struct Options {
    int workers = 1;
    bool pin = false;                ///< binds each worker to a processor of its own, where there are as many
    int64_t max_queued_samples = 0;  ///< admitted but not yet popped, of all jobs
    const Clock* clock = &Clock::Real();
  };

  /// What goes on, for tests and health.
  struct Stats {
    int64_t live_jobs = 0;
    int64_t queued_samples = 0;
    int64_t generated_samples = 0;  ///< since the start, sent or not
    bool device_broken = false;
  };

  TileScheduler(Metrics& metrics, Options options);
  /// Ends the workers after the tiles that they compute. Jobs may be held longer, but yield nothing more.
  ~TileScheduler();

  /// Admits a job. RESOURCE_EXHAUSTED with RetryInfo where the queue would hold too many samples.
  absl::StatusOr<std::shared_ptr<GenerationJob>> Submit(JobSpec spec);

  /// The next batch of a job; nothing where it is not ready yet, in which case on_ready is called once it is. The
  /// status of a job that failed.
  absl::StatusOr<std::optional<v1::GenotypeBatch>> Pop(const std::shared_ptr<GenerationJob>& job);

  /// Ends a job: its samples leave the queue and its ring is emptied. Does nothing where it has ended.
  void Cancel(GenerationJob& job);

  /// Ends all jobs with a status, which their streams are told.
  void FailAll(const absl::Status& status);

  Stats stats() const;

 private:
  // Samples [first, first + count) of the cohort, all of one batch.
  struct Slice {
    std::shared_ptr<GenerationJob> job;
    std::shared_ptr<PendingBatch> batch;
    int64_t first;
    int64_t count;
  };
  // The work of one forward pass, with the buffers that a worker keeps.
  struct Tile {
    std::vector<Slice> slices;
    int64_t samples = 0;
    std::vector<SampleSpec> specs;
    std::vector<double> phenotypes;
    GenotypeMatrix rows;
    RowEncoder::Scratch scratch;
  };
  using Jobs = std::vector<std::shared_ptr<GenerationJob>>;

  void Work(int worker);
  bool TakeTile(Tile& tile);
  absl::Status Generate(Tile& tile);
  void Publish(Tile& tile, const absl::Status& status);

  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || !runnable_.empty(); }
  void DropExpired(Jobs& expired) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeSamples(const std::shared_ptr<GenerationJob>& job, int64_t count, Tile& tile)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EnqueueIfRunnable(const std::shared_ptr<GenerationJob>& job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(GenerationJob& job, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddQueued(int64_t samples) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Metrics& metrics_;
  const Options options_;
  const std::shared_ptr<std::atomic<int64_t>> live_jobs_;

  mutable absl::Mutex mutex_;
  std::deque<std::shared_ptr<GenerationJob>> runnable_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<GenerationJob>> jobs_ ABSL_GUARDED_BY(mutex_);  // all that have not ended, and some dead
  int64_t queued_samples_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t generated_samples_ ABSL_GUARDED_BY(mutex_) = 0;
  bool device_broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> workers_;
};

}  // namespace genoserve
