// Who is served next: the scheduler's rules without its threads.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "genoserve/v1/config.pb.h"
#include "server/scheduler/backlog.h"
#include "server/scheduler/fair_queue.h"
#include "server/scheduler/generation_job.h"
#include "server/scheduler/tile.h"

namespace genoserve {

/// Admits jobs, cuts them into tiles and hands batches out in order. Time is what callers say it is, and nothing but
/// the order of the calls decides, so that a simulation can go through any schedule. Not thread-safe.
///
/// Tiles go to classes, within a class to principals, and within a principal to jobs in turn. Principals share by
/// virtual time, in seconds of a worker: what a tile is expected to take is charged when it is taken, by the measured
/// speed of its kind, and put right by what it took once it is published. Variants asked for are no measure of that: a
/// network's body and a chain's walk are paid for a region as for a row. A principal with nothing to do leaves its
/// share to the others, and one that comes back is next. Of classes the most urgent one goes first, until it is ahead
/// of its share, also by virtual time, by the longest of the full tiles that are next in the classes: so it may be busy
/// for many tiles at once, and yet nobody starves. Interactive are jobs of at most one tile, and the first few samples
/// of all others, so that first batches leave early. A tile holds samples of one class only, so that an interactive one
/// is no longer than it must be.
///
/// A job whose ring is full, that has ended or whose deadline has passed is not runnable, so that a slow reader costs
/// no compute.
class TilePlanner {
 public:
  struct Options {
    int workers = 1;                 ///< that take tiles at the same time
    int64_t max_queued_samples = 0;  ///< admitted but not yet popped, of all jobs
  };
  using Jobs = std::vector<std::shared_ptr<GenerationJob>>;
  using Ring = std::deque<std::shared_ptr<PendingBatch>>;

  /// `live` counts the jobs and batches.
  TilePlanner(Options options, std::shared_ptr<LiveWork> live);
  ~TilePlanner();
  TilePlanner(const TilePlanner&) = delete;
  TilePlanner& operator=(const TilePlanner&) = delete;

  /// What principals may use, as ServerConfig has it; others have the defaults, which are those of all before the first
  /// call. Jobs keep the class that they were admitted in.
  void SetPrincipals(const std::vector<v1::Principal>& principals);

  /// Admits a job, which counts until it has ended: until all batches are popped, or Cancel, or an error.
  ///
  /// RESOURCE_EXHAUSTED with RetryInfo where too many samples would be queued, of the principal or of all, or where its
  /// deadline cannot be met behind what the same principal has queued and reads: waiting helps. INVALID_ARGUMENT for
  /// more samples than the principal may ever queue. DEADLINE_EXCEEDED where the deadline has passed or cannot be met
  /// even by all workers together: the caller would learn nothing else later, and waiting does not help. Deadlines are
  /// judged by the measured speed of tiles of this kind with a margin, and not before it is known.
  absl::StatusOr<std::shared_ptr<GenerationJob>> Submit(JobSpec spec, absl::Time now);

  /// Fills an empty tile; false where no job is runnable. Jobs that turn out to be past their deadline end and are
  /// added to `expired`, also then.
  bool Take(absl::Time now, Tile& tile, Jobs& expired);

  /// Whether Take would find something to do.
  bool HasWork() const { return !classes_.empty(); }

  /// Takes note of a generated tile, or of the error that ends its jobs, and of how long it took. Jobs for which Pop
  /// has something new to tell are added to `ready`. Where memory was short jobs end with RetryInfo: a smaller tile, or
  /// a later one, may do. The tile is then for its worker to clear; each that Take filled must come here, once.
  void Publish(Tile& tile, const absl::Status& status, absl::Duration took, absl::Time now, Jobs& ready);

  /// The next batch of a job; null where it is not ready yet. The status of a job that failed.
  absl::StatusOr<std::shared_ptr<PendingBatch>> Pop(const std::shared_ptr<GenerationJob>& job, absl::Time now);

  /// Ends a job, which the caller holds, with a status. Does nothing where the job has ended.
  void End(GenerationJob& job, const absl::Status& status, absl::Time now);

  /// Ends all jobs with a status; returns them.
  Jobs EndAll(const absl::Status& status, absl::Time now);

  /// The batches of jobs that ended since the last call, by whatever it was, for the caller to free at leisure.
  Ring Discarded() { return std::exchange(discarded_, {}); }

  int64_t queued_samples() const { return backlog_.samples(); }
  /// By JobClass.
  const std::array<int64_t, kJobClasses>& queued_by_class() const { return queued_by_class_; }
  /// Samples of all tiles so far.
  int64_t taken_samples() const { return taken_samples_; }
  /// Samples that a job may have in its ring now.
  int64_t RingSamples(const GenerationJob& job) const;

 private:
  struct ClassQueue;

  std::shared_ptr<TileKind> FindKind(const JobSpec& spec);
  PrincipalShare& FindPrincipal(const std::string& name);
  absl::Status CheckRoom(int64_t samples, PrincipalShare& principal, const std::string& name, absl::Time now);
  absl::Status CheckDeadline(const JobSpec& spec, const TileKind& kind, JobClass job_class, absl::Time now) const;

  double SecondsPerSample(const GenerationJob& job) const;
  ClassQueue* NextClass();
  int64_t TakeNow(const GenerationJob& job) const;
  bool Runnable(const GenerationJob& job) const;
  void EnqueueIfRunnable(const std::shared_ptr<GenerationJob>& job);
  void Dequeue(GenerationJob& job);
  void TakeSamples(const std::shared_ptr<GenerationJob>& job, int64_t count, absl::Time now, Tile& tile);

  const Options options_;
  const std::shared_ptr<LiveWork> live_;
  std::map<std::string, std::unique_ptr<PrincipalShare>> principals_;
  std::vector<std::shared_ptr<TileKind>> kinds_;
  std::array<std::unique_ptr<ClassQueue>, kJobClasses> class_queues_;
  FairQueue<ClassQueue> classes_;
  std::list<std::shared_ptr<GenerationJob>> jobs_;  // that have not ended
  Backlog backlog_;
  std::array<int64_t, kJobClasses> queued_by_class_{};
  int64_t taken_samples_ = 0;
  RateMeter genotypes_;  // of whole rows that one worker makes in well filled tiles, whatever their kind
  Ring discarded_;
};

}  // namespace genoserve
