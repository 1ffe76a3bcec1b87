#include "server/scheduler/tile_scheduler.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/cpus.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

// A ring holds what the stream writes next and what workers fill meanwhile.
constexpr int64_t kRingBatches = 2;
constexpr int64_t kRingTiles = 2;
// Jobs that are looked at to fill up one tile.
constexpr size_t kMostMates = 64;
constexpr absl::Duration kQueueRetry = absl::Seconds(1);

int64_t TileSamples(const GenerationJob& job) {
  return static_cast<int64_t>(job.spec().version->generator->max_tile_samples());
}

void Notify(const std::vector<std::shared_ptr<GenerationJob>>& jobs) {
  for (const auto& job : jobs) {
    if (job->spec().on_ready) job->spec().on_ready();
  }
}

}  // namespace

TileScheduler::TileScheduler(Metrics& metrics, Options options)
    : metrics_(metrics), options_(options), live_jobs_(std::make_shared<std::atomic<int64_t>>(0)) {
  for (int i = 0; i < options_.workers; ++i) workers_.emplace_back([this, i] { Work(i); });
}

TileScheduler::~TileScheduler() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (std::thread& worker : workers_) worker.join();
}

absl::StatusOr<std::shared_ptr<GenerationJob>> TileScheduler::Submit(JobSpec spec) {
  const int64_t tile = static_cast<int64_t>(spec.version->generator->max_tile_samples());
  const int64_t ring = kRingBatches * spec.batch_samples + kRingTiles * tile;
  const int64_t samples = spec.plan.sample_count();
  auto job = std::make_shared<GenerationJob>(std::move(spec), ring, live_jobs_);
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::UnavailableError("the server is shutting down");
  if (samples > options_.max_queued_samples - queued_samples_) {
    return RetryLater(absl::StatusCode::kResourceExhausted,
                      absl::StrCat(queued_samples_, " samples are queued and at most ", options_.max_queued_samples,
                                   " may be; ", samples, " more do not fit now"),
                      kQueueRetry);
  }
  std::erase_if(jobs_, [](const auto& each) { return each.expired(); });
  jobs_.push_back(job);
  AddQueued(samples);
  EnqueueIfRunnable(job);
  return job;
}

absl::StatusOr<std::optional<v1::GenotypeBatch>> TileScheduler::Pop(const std::shared_ptr<GenerationJob>& job) {
  std::shared_ptr<PendingBatch> batch;
  {
    absl::MutexLock lock(&mutex_);
    if (!job->status_.ok()) return job->status_;
    if (job->ring_.empty() || !job->ring_.front()->sealed_) return std::nullopt;
    batch = std::move(job->ring_.front());
    job->ring_.pop_front();
    job->popped_ += batch->count();
    AddQueued(-batch->count());
    EnqueueIfRunnable(job);
  }
  return batch->Take();
}

void TileScheduler::Cancel(GenerationJob& job) {
  std::deque<std::shared_ptr<PendingBatch>> ring;
  absl::MutexLock lock(&mutex_);
  ring.swap(job.ring_);
  End(job, absl::CancelledError("the job was cancelled"));
}

void TileScheduler::FailAll(const absl::Status& status) {
  Jobs failed;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& each : jobs_) {
      auto job = each.lock();
      if (job == nullptr || job->ended_) continue;
      End(*job, status);
      failed.push_back(std::move(job));
    }
  }
  Notify(failed);
}

TileScheduler::Stats TileScheduler::stats() const {
  absl::MutexLock lock(&mutex_);
  return {live_jobs_->load(), queued_samples_, generated_samples_, device_broken_};
}

void TileScheduler::Work(int worker) {
  const std::vector<int> cpus = AllowedCpus();
  // With fewer workers than processors, as under a quota, all servers of a machine would crowd on the first ones.
  if (options_.pin && static_cast<size_t>(options_.workers) == cpus.size()) {
    PinThisThread(cpus[static_cast<size_t>(worker)]);
  }
  Tile tile;
  while (TakeTile(tile)) {
    const absl::Time begin = absl::Now();
    const absl::Status status = Generate(tile);
    metrics_.ObserveTile(absl::Now() - begin, tile.samples);
    Publish(tile, status);
  }
}

bool TileScheduler::TakeTile(Tile& tile) {
  tile.slices.clear();
  tile.samples = 0;
  while (tile.samples == 0) {
    Jobs expired;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &TileScheduler::HasWork));
      if (stopping_) return false;
      DropExpired(expired);
      if (!runnable_.empty()) {
        const std::shared_ptr<GenerationJob> first = std::move(runnable_.front());
        runnable_.pop_front();
        first->queued_ = false;
        const int64_t size = TileSamples(*first);
        TakeSamples(first, first->Room(size), tile);
        for (size_t i = 0; i < std::min(runnable_.size(), kMostMates) && tile.samples < size;) {
          const std::shared_ptr<GenerationJob> mate = runnable_[i];
          if (mate->spec_.version != first->spec_.version) {
            ++i;
            continue;
          }
          TakeSamples(mate, mate->Room(size - tile.samples), tile);
          if (mate->Runnable(size) > 0) {
            ++i;
            continue;
          }
          mate->queued_ = false;
          runnable_.erase(runnable_.begin() + static_cast<ptrdiff_t>(i));
        }
        EnqueueIfRunnable(first);
        generated_samples_ += tile.samples;
      }
    }
    Notify(expired);
  }
  return true;
}

void TileScheduler::DropExpired(Jobs& expired) {
  const absl::Time now = options_.clock->Now();
  for (auto job = runnable_.begin(); job != runnable_.end();) {
    if ((*job)->spec_.deadline > now) {
      ++job;
      continue;
    }
    expired.push_back(*job);
    (*job)->queued_ = false;
    job = runnable_.erase(job);
  }
  for (const auto& job : expired) End(*job, absl::DeadlineExceededError("the deadline passed before the last sample"));
}

void TileScheduler::TakeSamples(const std::shared_ptr<GenerationJob>& job, int64_t count, Tile& tile) {
  const CohortPlan& plan = job->spec_.plan;
  while (count > 0) {
    const int64_t in_batch = job->cursor_ % job->spec_.batch_samples;
    if (in_batch == 0) {
      const int64_t size = std::min(job->spec_.batch_samples, plan.sample_count() - job->cursor_);
      job->ring_.push_back(std::make_shared<PendingBatch>(plan.first_sample() + job->cursor_, size));
    }
    const auto& batch = job->ring_.back();
    const int64_t take = std::min(count, batch->count() - in_batch);
    tile.slices.push_back({job, batch, plan.first_sample() + job->cursor_, take});
    job->cursor_ += take;
    tile.samples += take;
    count -= take;
  }
}

absl::Status TileScheduler::Generate(Tile& tile) {
  const Generator& generator = *tile.slices.front().job->spec_.version->generator;
  const size_t phenotypes = tile.slices.front().job->spec_.plan.phenotype_count();
  const auto samples = static_cast<size_t>(tile.samples);
  tile.specs.resize(samples);
  tile.phenotypes.resize(samples * phenotypes);
  size_t place = 0;
  for (const Slice& slice : tile.slices) {
    const JobSpec& spec = slice.job->spec_;
    slice.batch->Allocate(spec);
    for (int64_t sample = slice.first; sample < slice.first + slice.count; ++sample, ++place) {
      const std::span<double> values(tile.phenotypes.data() + place * phenotypes, phenotypes);
      const int label = spec.plan.Label(spec.seed, sample);
      spec.plan.Phenotypes(spec.seed, sample, values);
      tile.specs[place] = {spec.seed, static_cast<uint64_t>(sample), label, values};
      slice.batch->SetCondition(sample - slice.batch->first(), label, values);
    }
  }
  const size_t rows = samples * RowsPerSample(generator.packing());
  if (tile.rows.rows() != rows || tile.rows.variants() != generator.variant_count() ||
      tile.rows.packing() != generator.packing()) {
    tile.rows = GenotypeMatrix(generator.packing(), rows, generator.variant_count());
  }
  absl::Status status = generator.Generate(tile.specs, {}, tile.rows);
  if (!status.ok()) return status;
  place = 0;
  for (const Slice& slice : tile.slices) {
    for (int64_t sample = slice.first; sample < slice.first + slice.count; ++sample, ++place) {
      slice.job->spec_.encoder.Encode(tile.rows, place, slice.batch->Genotypes(sample - slice.batch->first()),
                                      tile.scratch);
    }
  }
  return absl::OkStatus();
}

void TileScheduler::Publish(Tile& tile, const absl::Status& status) {
  Jobs notified;
  std::vector<const Slice*> complete;
  {
    absl::MutexLock lock(&mutex_);
    for (const Slice& slice : tile.slices) {
      if (!status.ok()) {
        if (!slice.job->ended_) notified.push_back(slice.job);
        End(*slice.job, status);
        continue;
      }
      slice.batch->missing_ -= slice.count;
      if (slice.batch->missing_ == 0) complete.push_back(&slice);
    }
    if (absl::IsUnavailable(status)) device_broken_ = true;
  }
  if (!status.ok()) spdlog::error("a tile could not be generated: {}", std::string(status.message()));
  for (const Slice* slice : complete) slice->batch->Seal();
  if (!complete.empty()) {
    absl::MutexLock lock(&mutex_);
    for (const Slice* slice : complete) {
      slice->batch->sealed_ = true;
      const auto& ring = slice->job->ring_;
      if (!ring.empty() && ring.front() == slice->batch) notified.push_back(slice->job);
    }
  }
  Notify(notified);
  // Lets go of jobs, and perhaps of their versions, before the wait for the next tile.
  tile.slices.clear();
}

void TileScheduler::EnqueueIfRunnable(const std::shared_ptr<GenerationJob>& job) {
  if (job->queued_ || job->Runnable(TileSamples(*job)) == 0) return;
  job->queued_ = true;
  runnable_.push_back(job);
}

void TileScheduler::End(GenerationJob& job, const absl::Status& status) {
  if (job.ended_) return;
  job.ended_ = true;
  job.status_ = status;
  AddQueued(job.popped_ - job.spec_.plan.sample_count());
  if (!job.queued_) return;
  job.queued_ = false;
  std::erase_if(runnable_, [&job](const auto& each) { return each.get() == &job; });
}

void TileScheduler::AddQueued(int64_t samples) {
  queued_samples_ += samples;
  metrics_.queued_samples().Set(static_cast<double>(queued_samples_));
}

}  // namespace genoserve
