// One stream's work: which samples are still to be generated, and the ring of batches between workers and stream.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "genoserve/v1/cohort.pb.h"
#include "server/cohort/cohort_plan.h"
#include "server/cohort/row_encoder.h"
#include "server/manager/serving_version.h"

namespace genoserve {

/// What a stream asks the scheduler for.
struct JobSpec {
  ModelHandle version;
  CohortPlan plan;
  RowEncoder encoder;
  uint64_t seed = 0;
  int64_t batch_samples = 1;  ///< in each batch but the last, at least 1
  absl::Time deadline = absl::InfiniteFuture();
  /// Called by a worker, without a lock, when Pop has something new to tell. Must not block.
  std::function<void()> on_ready;
};

/// A batch under construction. Workers fill different samples of it at the same time.
class PendingBatch {
 public:
  /// For `count` samples from `first` on.
  PendingBatch(int64_t first, int64_t count) : first_(first), count_(count), missing_(count) {}

  int64_t first() const { return first_; }
  int64_t count() const { return count_; }

  /// Makes room for the samples; the first worker to come does it. Thread-safe.
  void Allocate(const JobSpec& spec);
  /// Where sample `i` of the batch goes. Allocate first; different samples may be written at the same time.
  std::span<uint8_t> Genotypes(int64_t i);
  void SetCondition(int64_t i, int label, std::span<const double> phenotypes);
  /// Adds the checksum. Call once, when no sample is missing.
  void Seal();

  /// The finished message.
  v1::GenotypeBatch Take() { return std::move(message_); }

 private:
  friend class TileScheduler;

  const int64_t first_;
  const int64_t count_;
  int64_t missing_;      // samples; guarded by the scheduler's mutex
  bool sealed_ = false;  // guarded by the scheduler's mutex
  std::once_flag allocated_;
  v1::GenotypeBatch message_;
  size_t sample_bytes_ = 0;
  uint8_t* genotypes_ = nullptr;
  uint32_t* labels_ = nullptr;
  std::vector<double*> phenotypes_;
};

/// A job of the scheduler. Its state belongs to TileScheduler, whose mutex guards it; others only hold on to it.
class GenerationJob {
 public:
  GenerationJob(JobSpec spec, int64_t ring_samples, std::shared_ptr<std::atomic<int64_t>> live);
  ~GenerationJob();
  GenerationJob(const GenerationJob&) = delete;
  GenerationJob& operator=(const GenerationJob&) = delete;

  const JobSpec& spec() const { return spec_; }

 private:
  friend class TileScheduler;

  // Samples that a tile of `tile` samples may take now; 0 where the ring has no room for a whole one.
  int64_t Runnable(int64_t tile) const;
  // Samples that fit into the ring, at most `most`.
  int64_t Room(int64_t most) const;

  const JobSpec spec_;
  const int64_t ring_samples_;  // most samples between cursor and popped
  const std::shared_ptr<std::atomic<int64_t>> live_;
  int64_t cursor_ = 0;   // samples of the range that workers have taken
  int64_t popped_ = 0;   // samples of the range that the stream has taken
  bool queued_ = false;  // in the scheduler's queue
  bool ended_ = false;   // cancelled or failed
  absl::Status status_;  // of a failed one
  std::deque<std::shared_ptr<PendingBatch>> ring_;
};

}  // namespace genoserve
