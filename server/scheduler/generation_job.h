// One stream's work: which samples are still to be generated, and the ring of batches between workers and stream.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "genoserve/v1/cohort.pb.h"
#include "server/cohort/cohort_plan.h"
#include "server/cohort/row_encoder.h"
#include "server/manager/serving_version.h"
#include "server/scheduler/backlog.h"

namespace genoserve {

/// What a stream asks the scheduler for.
struct JobSpec {
  ModelHandle version;
  CohortPlan plan;
  RowEncoder encoder;
  uint64_t seed = 0;
  int64_t batch_samples = 1;  ///< in each batch but the first and the last, which may have fewer; at least 1
  absl::Time deadline = absl::InfiniteFuture();
  /// Called by a worker, without a lock, when Pop has something new to tell. Must not block.
  std::function<void()> on_ready = nullptr;
  /// Who asks, as the Authenticator names him; empty for callers without a name.
  std::string principal = {};
};

/// How urgent work is, most urgent first.
enum class JobClass { kInteractive, kCi, kBulk };
inline constexpr size_t kJobClasses = 3;

/// Jobs that may share a tile: those of one version that need the same blocks of it.
struct TileKind {
  std::weak_ptr<const ServingVersion> version;
  std::vector<uint32_t> blocks;  ///< ascending; empty = all
  RateMeter speed;               ///< samples that one worker makes in well filled tiles
};

/// What exists of a scheduler's work, for metrics and for tests that look for leaks. Jobs and batches share it, since
/// they may outlive the scheduler.
struct LiveWork {
  std::atomic<int64_t> jobs = 0;
  std::atomic<int64_t> batches = 0;  ///< in rings, or on their way to a stream
  std::atomic<int64_t> bytes = 0;    ///< of those batches
};

/// A batch under construction. Workers fill different samples of it at the same time.
class PendingBatch {
 public:
  /// For `count` samples from `first` on.
  PendingBatch(int64_t first, int64_t count, std::shared_ptr<LiveWork> live);
  ~PendingBatch();
  PendingBatch(const PendingBatch&) = delete;
  PendingBatch& operator=(const PendingBatch&) = delete;

  int64_t first() const { return first_; }
  int64_t count() const { return count_; }

  /// Makes room for the samples; the first worker to come does it. Thread-safe.
  void Allocate(const JobSpec& spec);
  /// Where sample `i` of the batch goes. Allocate first; different samples may be written at the same time.
  std::span<uint8_t> Genotypes(int64_t i);
  void SetCondition(int64_t i, int label, std::span<const double> phenotypes);
  /// So many more samples are written. True for the call after which none is missing; that caller seals. Thread-safe.
  bool Deliver(int64_t samples) { return missing_.fetch_sub(samples, std::memory_order_acq_rel) == samples; }
  /// Adds the checksum. Call once, when no sample is missing.
  void Seal();

  /// The finished message.
  v1::GenotypeBatch Take() { return std::move(message_); }

 private:
  friend class TilePlanner;

  const int64_t first_;
  const int64_t count_;
  const std::shared_ptr<LiveWork> live_;
  int64_t bytes_ = 0;  // as counted in live_
  std::atomic<int64_t> missing_;
  bool sealed_ = false;  // the planner's
  std::once_flag allocated_;
  v1::GenotypeBatch message_;
  size_t sample_bytes_ = 0;
  uint8_t* genotypes_ = nullptr;
  uint32_t* labels_ = nullptr;
  std::vector<double*> phenotypes_;
};

struct PrincipalShare;

/// A job of the scheduler. Its state belongs to the TilePlanner that admitted it; others only hold on to it.
class GenerationJob {
 public:
  GenerationJob(JobSpec spec, std::shared_ptr<TileKind> kind, JobClass job_class, absl::Time admitted,
                std::shared_ptr<LiveWork> live);
  ~GenerationJob();
  GenerationJob(const GenerationJob&) = delete;
  GenerationJob& operator=(const GenerationJob&) = delete;

  const JobSpec& spec() const { return spec_; }
  const std::shared_ptr<TileKind>& kind() const { return kind_; }
  JobClass job_class() const { return class_; }
  /// From the job's admission to its first tile; infinite until then. Thread-safe.
  absl::Duration queued() const;

  /// Samples that leave ahead of all others, as the first batch: few, so that they are soon made, but never so that
  /// only a handful is left. A batch still has at most batch_samples.
  int64_t first_samples() const;

 private:
  friend class TilePlanner;

  int64_t remaining() const { return spec_.plan.sample_count() - cursor_; }
  int64_t buffered() const { return cursor_ - popped_; }
  // In which class it waits: its first samples are interactive.
  JobClass turn() const { return cursor_ == 0 ? JobClass::kInteractive : class_; }
  // The end, in samples of the range, of the batch that holds a sample of it.
  int64_t BatchEnd(int64_t sample) const;

  const JobSpec spec_;
  const std::shared_ptr<TileKind> kind_;
  const JobClass class_;
  const absl::Time admitted_;
  const std::shared_ptr<LiveWork> live_;
  std::atomic<int64_t> queue_nanos_ = -1;  // from admission to the first tile; -1 = not yet
  PrincipalShare* principal_ = nullptr;    // while it has not ended
  int64_t cursor_ = 0;                     // samples of the range that workers have taken
  int64_t popped_ = 0;                     // samples of the range that the stream has taken
  bool queued_ = false;                    // runnable, in a queue of the planner
  bool ended_ = false;                     // cancelled or failed
  absl::Status status_;                    // of a failed one
  std::deque<std::shared_ptr<PendingBatch>> ring_;
  std::list<std::shared_ptr<GenerationJob>>::iterator place_;  // among the planner's jobs, until it has ended
};

}  // namespace genoserve
