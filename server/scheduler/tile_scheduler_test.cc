#include "server/scheduler/tile_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/base/file.h"
#include "server/rpc_error.h"
#include "server/service/resolve_request.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

class TileSchedulerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = NewTestFolder();
    PublishTestAcgan(folder, "model", 1);
    version_ = LoadVersion(**OpenStore(folder, false), "model", 1, {}).value();
    FileSystem::Posix().Remove(folder).IgnoreError();
  }
  static void TearDownTestSuite() { version_.reset(); }

  // The last signal of a job; Await takes it.
  struct Signal {
    absl::Mutex mutex;
    bool on = false;
    void Set() {
      absl::MutexLock lock(&mutex);
      on = true;
    }
    void Await() {
      absl::MutexLock lock(&mutex);
      mutex.Await(absl::Condition(&on));
      on = false;
    }
  };
  struct Job {
    std::shared_ptr<Signal> signal = std::make_shared<Signal>();
    std::shared_ptr<GenerationJob> job;
  };

  static JobSpec Spec(int64_t samples, uint64_t seed = 7, int max_batch_bytes = 0) {
    v1::StreamCohortRequest request;
    request.set_cohort_size(samples);
    request.set_seed(seed);
    request.set_max_batch_bytes(max_batch_bytes);
    return ResolveCohort(request, version_, int64_t{1} << 40, 0).value().job;
  }
  static Job Submit(TileScheduler& scheduler, JobSpec spec) {
    Job job;
    spec.on_ready = [signal = job.signal] { signal->Set(); };
    auto submitted = scheduler.Submit(std::move(spec));
    EXPECT_TRUE(submitted.ok()) << submitted.status();
    job.job = *std::move(submitted);
    return job;
  }
  // Pops until `samples` have come; their bytes in order.
  static std::string Drain(TileScheduler& scheduler, const Job& job, int64_t samples) {
    std::string bytes;
    for (int64_t next = 0; next < samples;) {
      auto batch = scheduler.Pop(job.job);
      if (!batch.ok()) {
        ADD_FAILURE() << batch.status();
        return bytes;
      }
      if (!batch->has_value()) {
        job.signal->Await();
        continue;
      }
      EXPECT_EQ((*batch)->first_sample(), next);
      next += (*batch)->sample_count();
      bytes += (*batch)->genotypes();
    }
    return bytes;
  }
  static TileScheduler::Options Workers(int workers) {
    return {.workers = workers, .max_queued_samples = int64_t{1} << 40};
  }

  static ModelHandle version_;
  Metrics metrics_;
};

ModelHandle TileSchedulerTest::version_;

TEST_F(TileSchedulerTest, BatchesComeInOrderWithTheSameBytesFromAnyNumberOfWorkers) {
  TileScheduler one(metrics_, Workers(1));
  TileScheduler four(metrics_, Workers(4));
  const std::string bytes = Drain(one, Submit(one, Spec(5000)), 5000);
  EXPECT_EQ(bytes.size(), 5000 * 26);
  EXPECT_TRUE(Drain(four, Submit(four, Spec(5000, 7, 4096)), 5000) == bytes);
}

TEST_F(TileSchedulerTest, SmallJobsShareATile) {
  TileScheduler quiet(metrics_, Workers(2));
  std::vector<std::string> alone;
  for (uint64_t seed = 0; seed < 50; ++seed) alone.push_back(Drain(quiet, Submit(quiet, Spec(3, seed)), 3));
  TileScheduler busy(metrics_, Workers(2));
  std::vector<Job> jobs;
  for (uint64_t seed = 0; seed < 50; ++seed) jobs.push_back(Submit(busy, Spec(3, seed)));
  for (uint64_t seed = 0; seed < 50; ++seed) EXPECT_TRUE(Drain(busy, jobs[seed], 3) == alone[seed]);
}

TEST_F(TileSchedulerTest, AFullRingCostsNoFurtherCompute) {
  TileScheduler scheduler(metrics_, Workers(1));
  const JobSpec spec = Spec(1'000'000, 1, 4096);
  const int64_t tile = static_cast<int64_t>(version_->generator->max_tile_samples());
  const int64_t ring = 2 * spec.batch_samples + 2 * tile;
  const Job stalled = Submit(scheduler, Spec(1'000'000, 1, 4096));
  // The other job's tiles alternate with those of the stalled one while that is runnable.
  const int64_t other = 20 * ring;
  Drain(scheduler, Submit(scheduler, Spec(other, 2, 4096)), other);
  EXPECT_LE(scheduler.stats().generated_samples - other, ring);
  EXPECT_EQ(scheduler.stats().queued_samples, 1'000'000);
  // Taking batches makes room again.
  Drain(scheduler, stalled, 4 * ring);
  scheduler.Cancel(*stalled.job);
  EXPECT_EQ(scheduler.stats().queued_samples, 0);
}

TEST_F(TileSchedulerTest, ACancelledJobYieldsNothingAndIsLetGo) {
  TileScheduler scheduler(metrics_, Workers(1));
  Job job = Submit(scheduler, Spec(int64_t{1} << 30));
  job.signal->Await();
  scheduler.Cancel(*job.job);
  EXPECT_EQ(scheduler.Pop(job.job).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(scheduler.stats().queued_samples, 0);
  // The worker lets go of it at the end of the tile that it computes; as there is only one, later tiles come after
  // that.
  const std::weak_ptr<GenerationJob> weak = job.job;
  job.job.reset();
  Drain(scheduler, Submit(scheduler, Spec(20'000)), 20'000);
  EXPECT_TRUE(weak.expired());
}

TEST_F(TileSchedulerTest, TheQueueIsBoundedInSamples) {
  TileScheduler scheduler(metrics_, {.workers = 1, .max_queued_samples = 1000});
  const Job first = Submit(scheduler, Spec(900));
  const auto refused = scheduler.Submit(Spec(200));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(refused.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo").has_value());
  Drain(scheduler, first, 900);
  EXPECT_TRUE(scheduler.Submit(Spec(1000)).ok());
}

TEST_F(TileSchedulerTest, APassedDeadlineIsRefused) {
  FakeClock clock;
  TileScheduler scheduler(metrics_, {.workers = 1, .max_queued_samples = 1000, .clock = &clock});
  JobSpec spec = Spec(900);
  spec.deadline = clock.Now();
  EXPECT_EQ(scheduler.Submit(std::move(spec)).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(scheduler.stats().live_jobs, 0);
  EXPECT_EQ(scheduler.stats().queued_samples, 0);
}

TEST_F(TileSchedulerTest, FailingAllTellsEveryStream) {
  TileScheduler scheduler(metrics_, Workers(1));
  const Job a = Submit(scheduler, Spec(int64_t{1} << 30));
  const Job b = Submit(scheduler, Spec(int64_t{1} << 30));
  scheduler.FailAll(absl::UnavailableError("going"));
  a.signal->Await();
  b.signal->Await();
  EXPECT_EQ(scheduler.Pop(a.job).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(scheduler.Pop(b.job).status().message(), "going");
  // What a tile had that was being computed is thrown away when it is done.
  const absl::Time end = absl::Now() + absl::Seconds(60);
  while (scheduler.stats().live_batches > 0 && absl::Now() < end) std::this_thread::yield();
  EXPECT_EQ(scheduler.stats().live_batches, 0);
}

TEST_F(TileSchedulerTest, WhoComesAfterAllFailedIsToldTheSame) {
  TileScheduler scheduler(metrics_, Workers(1));
  const absl::Status going = RetryLater(absl::StatusCode::kUnavailable, "going", absl::Seconds(1));
  scheduler.FailAll(going);
  EXPECT_EQ(scheduler.Submit(Spec(1)).status(), going);
  EXPECT_EQ(scheduler.stats().live_jobs, 0);
}

}  // namespace
}  // namespace genoserve
