#include "server/scheduler/tile_planner.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/rpc_error.h"

namespace genoserve {

// The jobs of a principal that are runnable in one class, in turn.
struct PrincipalQueue : FairMember {
  using FairMember::FairMember;
  std::deque<std::shared_ptr<GenerationJob>> jobs;
};

// What a principal may use and uses.
struct PrincipalShare {
  explicit PrincipalShare(int64_t limit)
      : backlog(limit), queues{PrincipalQueue(1), PrincipalQueue(1), PrincipalQueue(1)} {}

  JobClass large_class = JobClass::kBulk;  // of jobs that are not interactive
  bool named = false;                      // in the configuration
  Backlog backlog;
  int64_t users = 0;  // jobs that have not ended and charges of tiles that are not published
  std::array<PrincipalQueue, kJobClasses> queues;
};

struct TilePlanner::ClassQueue : FairMember {
  using FairMember::FairMember;
  FairQueue<PrincipalQueue> principals;
};

namespace {

// Bulk work keeps a twentieth where the others want everything.
constexpr std::array<double, kJobClasses> kClassWeights = {16, 4, 1};
// A ring holds the batch that the stream takes next and the one that workers fill meanwhile.
constexpr int64_t kRingBatches = 2;
// Beyond that the rings of all jobs together have this for each worker, so that few streams keep all workers busy.
constexpr int64_t kRingTiles = 4;
constexpr int64_t kRingBytes = 16 << 20;
// Jobs of a principal that are looked at to fill up one tile.
constexpr size_t kMostMates = 64;
// Kinds whose speed is remembered.
constexpr size_t kMostKinds = 256;
// How much longer than is left the measured speed must say for a deadline to be hopeless.
constexpr double kDeadlineMargin = 1.25;
// Genotypes that a worker makes in a second, where nothing has been measured.
constexpr double kGuessedSpeed = 1e8;
// When to ask again after a tile that found no memory.
constexpr absl::Duration kMemoryRetry = absl::Seconds(1);

int64_t TileSamples(const JobSpec& spec) { return static_cast<int64_t>(spec.version->generator->max_tile_samples()); }

// Genotypes or alleles of a sample, asked for or not.
double RowGenotypes(const JobSpec& spec) {
  const Generator& generator = *spec.version->generator;
  return static_cast<double>(RowsPerSample(generator.packing()) * generator.variant_count());
}

size_t Index(JobClass job_class) { return static_cast<size_t>(job_class); }

}  // namespace

TilePlanner::TilePlanner(Options options, std::shared_ptr<LiveWork> live)
    : options_(options), live_(std::move(live)), backlog_(options_.max_queued_samples) {
  for (size_t i = 0; i < kJobClasses; ++i) class_queues_[i] = std::make_unique<ClassQueue>(kClassWeights[i]);
}

void TilePlanner::SetPrincipals(const std::vector<v1::Principal>& principals) {
  const auto set = [this](PrincipalShare& share, const v1::Principal& to, bool named) {
    share.large_class = to.class_() == v1::REQUEST_CLASS_CI ? JobClass::kCi : JobClass::kBulk;
    share.named = named;
    share.backlog.SetLimit(to.max_queued_samples() > 0 ? to.max_queued_samples() : options_.max_queued_samples);
    for (PrincipalQueue& queue : share.queues) queue.SetWeight(to.weight() > 0 ? to.weight() : 1.0);
  };
  for (const auto& [name, share] : principals_) set(*share, v1::Principal(), /*named=*/false);
  for (const v1::Principal& each : principals) set(FindPrincipal(each.name()), each, /*named=*/true);
}

TilePlanner::~TilePlanner() = default;

PrincipalShare& TilePlanner::FindPrincipal(const std::string& name) {
  const auto found = principals_.find(name);
  if (found != principals_.end()) return *found->second;
  // Others that are gone and have nothing to make up for are as good as new when they come back.
  std::erase_if(principals_, [this](const auto& each) {
    const PrincipalShare& share = *each.second;
    if (share.named || share.users > 0) return false;
    for (size_t i = 0; i < kJobClasses; ++i) {
      if (!class_queues_[i]->principals.Settled(share.queues[i])) return false;
    }
    return true;
  });
  return *(principals_[name] = std::make_unique<PrincipalShare>(options_.max_queued_samples));
}

std::shared_ptr<TileKind> TilePlanner::FindKind(const JobSpec& spec) {
  for (const auto& kind : kinds_) {
    if (kind->version.lock() == spec.version && kind->blocks == spec.encoder.blocks()) return kind;
  }
  std::erase_if(kinds_, [this](const auto& kind) {
    return kind->version.expired() || (kinds_.size() >= kMostKinds && kind.use_count() == 1);
  });
  kinds_.push_back(std::make_shared<TileKind>(TileKind{spec.version, spec.encoder.blocks(), {}}));
  return kinds_.back();
}

absl::StatusOr<std::shared_ptr<GenerationJob>> TilePlanner::Submit(JobSpec spec, absl::Time now) {
  const int64_t samples = spec.plan.sample_count();
  PrincipalShare& principal = FindPrincipal(spec.principal);
  const JobClass job_class = samples <= TileSamples(spec) ? JobClass::kInteractive : principal.large_class;
  const std::shared_ptr<TileKind> kind = FindKind(spec);
  GENOSERVE_RETURN_IF_ERROR(CheckRoom(samples, principal, spec.principal, now));
  GENOSERVE_RETURN_IF_ERROR(CheckDeadline(spec, *kind, job_class, now));

  auto job = std::make_shared<GenerationJob>(std::move(spec), kind, job_class, now, live_);
  job->principal_ = &principal;
  job->place_ = jobs_.insert(jobs_.end(), job);
  ++principal.users;
  principal.backlog.Add(samples, now);
  backlog_.Add(samples, now);
  queued_by_class_[Index(job_class)] += samples;
  EnqueueIfRunnable(job);
  return job;
}

absl::Status TilePlanner::CheckRoom(int64_t samples, PrincipalShare& principal, const std::string& name,
                                    absl::Time now) {
  if (samples > principal.backlog.limit()) {
    return FieldError("sample_count", absl::StrCat(samples, " samples; principal \"", name, "\" may queue at most ",
                                                   principal.backlog.limit(), ", so ask for shorter ranges"));
  }
  const absl::Duration wait = std::max(principal.backlog.Wait(samples, now), backlog_.Wait(samples, now));
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  const bool own = !principal.backlog.Fits(samples);
  const Backlog& full = own ? principal.backlog : backlog_;
  return RetryLater(absl::StatusCode::kResourceExhausted,
                    absl::StrCat(full.samples(), " samples ", own ? "of this principal " : "",
                                 "are queued and at most ", full.limit(), " may be; ", samples, " more do not fit now"),
                    wait);
}

absl::Status TilePlanner::CheckDeadline(const JobSpec& spec, const TileKind& kind, JobClass job_class,
                                        absl::Time now) const {
  if (spec.deadline <= now) return absl::DeadlineExceededError("the deadline passed before the first sample");
  const std::optional<double> speed = kind.speed.PerSecond();
  if (spec.deadline == absl::InfiniteFuture() || !speed.has_value()) return absl::OkStatus();
  const absl::Duration left = spec.deadline - now;
  const auto time_for = [&](int64_t samples) {
    return absl::Seconds(static_cast<double>(samples) / (*speed * options_.workers));
  };
  const int64_t samples = spec.plan.sample_count();
  if (const absl::Duration alone = time_for(samples); alone > kDeadlineMargin * left) {
    return absl::DeadlineExceededError(absl::StrCat(samples, " samples take about ", absl::FormatDuration(alone),
                                                    " and the deadline is in ", absl::FormatDuration(left)));
  }
  // Jobs of one principal and class have turns, so as much of each goes before the last sample of this one. What others
  // have queued is left out: they may end at any time. So are jobs whose ring is full: nobody may ever read it.
  int64_t before = 0;
  for (const auto& job : jobs_) {
    if (job->kind_.get() == &kind && job->class_ == job_class && job->spec_.principal == spec.principal &&
        Runnable(*job)) {
      before += std::min(samples, job->remaining());
    }
  }
  const absl::Duration behind = time_for(before + samples);
  if (behind <= kDeadlineMargin * left) return absl::OkStatus();
  return RetryLater(
      absl::StatusCode::kResourceExhausted,
      absl::StrCat(samples, " samples take about ", absl::FormatDuration(behind),
                   " behind what this principal has queued, and the deadline is in ", absl::FormatDuration(left)),
      BoundedWait(behind - left));
}

int64_t TilePlanner::RingSamples(const GenerationJob& job) const {
  const auto sample_bytes = std::max<int64_t>(1, static_cast<int64_t>(job.spec_.encoder.sample_bytes()));
  const int64_t shared = options_.workers * std::min(kRingTiles * TileSamples(job.spec_), kRingBytes / sample_bytes) /
                         std::max<int64_t>(1, static_cast<int64_t>(jobs_.size()));
  return std::max(kRingBatches * job.spec_.batch_samples, shared);
}

int64_t TilePlanner::TakeNow(const GenerationJob& job) const {
  const int64_t room = std::min(job.remaining(), RingSamples(job) - job.buffered());
  return job.cursor_ == 0 ? std::min(job.first_samples(), room) : room;
}

// Rather half a ring at once than a few samples at a time. One that is half full or more holds a whole batch, so that
// there will be another Pop, which asks again.
bool TilePlanner::Runnable(const GenerationJob& job) const {
  if (job.ended_ || job.remaining() == 0) return false;
  const int64_t ring = RingSamples(job);
  return ring - job.buffered() >= std::min({job.remaining(), TileSamples(job.spec_), (ring + 1) / 2});
}

void TilePlanner::EnqueueIfRunnable(const std::shared_ptr<GenerationJob>& job) {
  if (job->queued_ || !Runnable(*job)) return;
  job->queued_ = true;
  const size_t place = Index(job->turn());
  PrincipalQueue& queue = job->principal_->queues[place];
  queue.jobs.push_back(job);
  class_queues_[place]->principals.Add(queue);
  classes_.Add(*class_queues_[place]);
}

void TilePlanner::Dequeue(GenerationJob& job) {
  if (!job.queued_) return;
  job.queued_ = false;
  const size_t place = Index(job.turn());
  PrincipalQueue& queue = job.principal_->queues[place];
  queue.jobs.erase(
      std::find_if(queue.jobs.begin(), queue.jobs.end(), [&job](const auto& each) { return each.get() == &job; }));
  if (!queue.jobs.empty()) return;
  class_queues_[place]->principals.Remove(queue);
  if (class_queues_[place]->principals.empty()) classes_.Remove(*class_queues_[place]);
}

double TilePlanner::SecondsPerSample(const GenerationJob& job) const {
  const std::optional<double> speed = job.kind_->speed.PerSecond();
  if (speed.has_value()) return 1 / *speed;
  return RowGenotypes(job.spec_) / genotypes_.PerSecond().value_or(kGuessedSpeed);
}

TilePlanner::ClassQueue* TilePlanner::NextClass() {
  const ClassQueue* const due = classes_.Next();
  double most = 0;
  for (const auto& each : class_queues_) {
    if (each->principals.empty()) continue;
    const GenerationJob& job = *each->principals.Next()->jobs.front();
    most = std::max(most, SecondsPerSample(job) * static_cast<double>(TileSamples(job.spec_)));
  }
  for (const auto& each : class_queues_) {
    if (!each->principals.empty() && classes_.Lead(*each, *due) <= most) return each.get();
  }
  return nullptr;
}

bool TilePlanner::Take(absl::Time now, Tile& tile, Jobs& expired) {
  while (tile.samples() == 0) {
    ClassQueue* const of_class = NextClass();
    if (of_class == nullptr) return false;
    Jobs taken;
    const TileKind* kind = nullptr;
    int64_t space = 0;
    // What may go into the tile: at first anything, then what has the same kind. The first samples of a job stay
    // together.
    const auto mate = [&](const PrincipalQueue& queue) {
      const auto end = queue.jobs.begin() + static_cast<ptrdiff_t>(std::min(queue.jobs.size(), kMostMates));
      const auto found = std::find_if(queue.jobs.begin(), end, [&](const auto& job) {
        return job->kind_.get() == kind && (job->cursor_ > 0 || job->first_samples() <= space);
      });
      return found == end ? nullptr : *found;
    };
    while (kind == nullptr || space > 0) {
      PrincipalQueue* const queue =
          kind == nullptr ? of_class->principals.Next()
                          : of_class->principals.NextThat([&](const auto& each) { return mate(each) != nullptr; });
      if (queue == nullptr) break;
      const std::shared_ptr<GenerationJob> job = kind == nullptr ? queue->jobs.front() : mate(*queue);
      Dequeue(*job);
      if (job->spec_.deadline <= now) {
        End(*job, absl::DeadlineExceededError("the deadline passed before the last sample"), now);
        expired.push_back(job);
        continue;
      }
      // Its ring may have got smaller since it was queued: more jobs share the memory.
      if (!Runnable(*job)) continue;
      if (kind == nullptr) {
        kind = job->kind_.get();
        space = TileSamples(job->spec_);
      }
      const int64_t count = std::min(TakeNow(*job), space);
      const double seconds = SecondsPerSample(*job) * static_cast<double>(count);
      of_class->principals.Charge(*queue, seconds);
      classes_.Charge(*of_class, seconds);
      tile.AddCharge({job->principal_, job->turn(), count, seconds});
      ++job->principal_->users;
      TakeSamples(job, count, now, tile);
      space -= count;
      taken.push_back(job);
    }
    for (const auto& job : taken) EnqueueIfRunnable(job);
  }
  return true;
}

void TilePlanner::TakeSamples(const std::shared_ptr<GenerationJob>& job, int64_t count, absl::Time now, Tile& tile) {
  const int64_t first = job->spec_.plan.first_sample();
  if (job->cursor_ == 0) job->queue_nanos_ = absl::ToInt64Nanoseconds(now - job->admitted_);
  taken_samples_ += count;
  for (const int64_t end = job->cursor_ + count; job->cursor_ < end;) {
    const int64_t batch_end = job->BatchEnd(job->cursor_);
    if (job->ring_.empty() || job->ring_.back()->first() + job->ring_.back()->count() == first + job->cursor_) {
      job->ring_.push_back(std::make_shared<PendingBatch>(first + job->cursor_, batch_end - job->cursor_, live_));
    }
    const int64_t take = std::min(end, batch_end) - job->cursor_;
    tile.Add({job, job->ring_.back(), first + job->cursor_, take});
    job->cursor_ += take;
  }
}

void TilePlanner::Publish(Tile& tile, const absl::Status& status, absl::Duration took, absl::Time now, Jobs& ready) {
  const auto samples = static_cast<double>(tile.samples());
  for (const Tile::Charge& charge : tile.charges()) {
    const double due = absl::ToDoubleSeconds(took) * static_cast<double>(charge.samples) / samples;
    const size_t place = Index(charge.turn);
    class_queues_[place]->principals.Charge(charge.principal->queues[place], due - charge.seconds);
    classes_.Charge(*class_queues_[place], due - charge.seconds);
    --charge.principal->users;
  }
  const GenerationJob& any = *tile.slices().front().job;
  if (!status.ok()) {
    const absl::Status told =
        absl::IsResourceExhausted(status) ? RetryLater(status.code(), status.message(), kMemoryRetry) : status;
    for (const Tile::Slice& slice : tile.slices()) {
      if (slice.job->ended_) continue;
      End(*slice.job, told, now);
      ready.push_back(slice.job);
    }
  } else if (2 * tile.samples() >= TileSamples(any.spec_)) {
    any.kind_->speed.Add(samples, took);
    genotypes_.Add(samples * RowGenotypes(any.spec_), took);
  }
  for (const Tile::Slice* slice : tile.completed()) {
    slice->batch->sealed_ = true;
    const auto& ring = slice->job->ring_;
    if (!ring.empty() && ring.front() == slice->batch) ready.push_back(slice->job);
  }
}

absl::StatusOr<std::shared_ptr<PendingBatch>> TilePlanner::Pop(const std::shared_ptr<GenerationJob>& job,
                                                               absl::Time now) {
  if (!job->status_.ok()) return job->status_;
  if (job->ring_.empty() || !job->ring_.front()->sealed_) return nullptr;
  std::shared_ptr<PendingBatch> batch = std::move(job->ring_.front());
  job->ring_.pop_front();
  job->popped_ += batch->count();
  backlog_.Drain(batch->count(), now);
  job->principal_->backlog.Drain(batch->count(), now);
  queued_by_class_[Index(job->class_)] -= batch->count();
  if (job->popped_ == job->spec_.plan.sample_count()) {
    End(*job, absl::OkStatus(), now);
  } else {
    EnqueueIfRunnable(job);
  }
  return batch;
}

void TilePlanner::End(GenerationJob& job, const absl::Status& status, absl::Time now) {
  if (job.ended_) return;
  Dequeue(job);
  job.ended_ = true;
  job.status_ = status;
  const int64_t left = job.spec_.plan.sample_count() - job.popped_;
  backlog_.Drop(left, now);
  queued_by_class_[Index(job.class_)] -= left;
  job.principal_->backlog.Drop(left, now);
  --job.principal_->users;
  job.principal_ = nullptr;
  jobs_.erase(job.place_);
  std::move(job.ring_.begin(), job.ring_.end(), std::back_inserter(discarded_));
  job.ring_.clear();
}

TilePlanner::Jobs TilePlanner::EndAll(const absl::Status& status, absl::Time now) {
  Jobs all(jobs_.begin(), jobs_.end());
  for (const auto& job : all) End(*job, status, now);
  return all;
}

}  // namespace genoserve
