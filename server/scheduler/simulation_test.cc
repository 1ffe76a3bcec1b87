// Goes through random schedules of jobs, callers and workers, without threads: what callers get must be what they get
// from a quiet server, and nothing may be lost, kept or forgotten on the way.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/artifact/artifact.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "google/rpc/error_details.pb.h"
#include "server/scheduler/tile_planner.h"
#include "server/service/resolve_request.h"
#include "tests/support/artifacts.h"
#include "tests/support/repetitions.h"

namespace genoserve {
namespace {

constexpr int kSchedules = Repetitions(10'000);  // of each precision
constexpr int kMostSteps = 20'000;
constexpr int64_t kCohort = 160;
constexpr int64_t kLimitOfC = 100;
constexpr int64_t kVariants = 600;   // two blocks
constexpr size_t kTileSamples = 24;  // so that small cohorts have many tiles

// A real generator that takes small tiles only.
class SmallTiles final : public Generator {
 public:
  explicit SmallTiles(std::unique_ptr<Generator> generator) : generator_(std::move(generator)) {}
  Packing packing() const override { return generator_->packing(); }
  size_t variant_count() const override { return generator_->variant_count(); }
  size_t max_tile_samples() const override { return kTileSamples; }
  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                        GenotypeMatrix& rows) const override {
    return generator_->Generate(samples, blocks, rows);
  }

 private:
  const std::unique_ptr<Generator> generator_;
};

// A cohort that callers ask ranges of, and what a quiet server sends of it.
struct Cohort {
  v1::StreamCohortRequest request;
  JobSpec whole;
  std::string bytes;
  std::vector<uint32_t> labels;
  std::vector<double> weights;  // the first phenotype
};

// Someone who wants a range of a cohort, and asks anew, from where he is, until he has it.
struct Caller {
  const Cohort* cohort = nullptr;
  std::string principal;
  int64_t next = 0;
  int64_t end = 0;
  absl::Duration patience = absl::InfiniteDuration();  // until the deadline of the next attempt
  int cancels = 0;                                     // that he will still make
  absl::Time not_before = absl::InfinitePast();        // as he was told
  // Of the job that runs:
  std::shared_ptr<GenerationJob> job;
  int64_t left = 0;      // samples that he will still pop
  int64_t buffered = 0;  // samples taken by workers and not yet popped
  int64_t untaken = 0;   // samples that workers have not taken
  bool told = false;     // that there may be something to pop
  bool ended = false;    // by the planner, which he learns when he pops
};

class Simulation {
 public:
  Simulation(uint64_t seed, const std::vector<std::unique_ptr<Cohort>>& cohorts) : random_(seed) {
    live_ = std::make_shared<LiveWork>();
    options_.workers = static_cast<int>(Below(3)) + 1;
    options_.max_queued_samples = kCohort + Below(400);
    principals_.resize(3);
    principals_[0].set_name("a");
    principals_[0].set_class_(v1::REQUEST_CLASS_CI);
    principals_[1].set_name("b");
    principals_[1].set_weight(0.25 + 0.25 * static_cast<double>(Below(10)));
    principals_[2].set_name("c");
    principals_[2].set_max_queued_samples(kLimitOfC);
    workers_ = std::vector<Worker>(static_cast<size_t>(options_.workers));
    restarts_ = Below(3);
    callers_.resize(static_cast<size_t>(2 + Below(6)));
    const char* const kNames[] = {"", "a", "b", "c", "x", "y"};
    for (Caller& caller : callers_) {
      caller.cohort = cohorts[static_cast<size_t>(Below(static_cast<int64_t>(cohorts.size())))].get();
      caller.principal = kNames[Below(6)];
      const int64_t longest = Below(2) == 0 ? 20 : caller.principal == "c" ? kLimitOfC : kCohort;
      const int64_t count = 1 + Below(longest);
      caller.next = Below(kCohort - count + 1);
      caller.end = caller.next + count;
      if (Below(5) == 0) caller.patience = absl::Milliseconds(1 + Below(40));
      caller.cancels = Below(4) == 0 ? static_cast<int>(Below(3)) : 0;
    }
    planner_ = std::make_unique<TilePlanner>(options_, live_);
    planner_->SetPrincipals(principals_);
  }

  // Until every caller has all. Batches of jobs that ended are let go at once.
  void Run() {
    for (int step = 0; step < kMostSteps && !testing::Test::HasFailure(); ++step) {
      bool done = true;
      for (const Caller& caller : callers_) done = done && caller.next == caller.end;
      if (done) break;
      Step();
      planner_->Discarded();
      CheckQueue();
    }
    for (const Caller& caller : callers_) EXPECT_EQ(caller.next, caller.end) << "a caller was forgotten";
    for (Worker& worker : workers_) Finish(worker);
    planner_->Discarded();
    for (Caller& caller : callers_) caller.job.reset();
    EXPECT_EQ(planner_->queued_samples(), 0);
    EXPECT_FALSE(planner_->HasWork());
    EXPECT_EQ(live_->jobs, 0);
    EXPECT_EQ(live_->batches, 0);
    EXPECT_EQ(live_->bytes, 0);
  }

 private:
  struct Worker {
    Tile tile;
    absl::Time begin;
  };

  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  void Step() {
    Caller& caller = callers_[static_cast<size_t>(Below(static_cast<int64_t>(callers_.size())))];
    Worker& worker = workers_[static_cast<size_t>(Below(static_cast<int64_t>(workers_.size())))];
    const int64_t choice = Below(1000);
    if (choice < 300) {
      if (worker.tile.samples() == 0) Take(worker);
    } else if (choice < 600) {
      Finish(worker);
    } else if (choice < 800) {
      if (caller.job != nullptr && caller.told) Pop(caller);
    } else if (choice < 900) {
      if (caller.job == nullptr && caller.next < caller.end) Submit(caller);
    } else if (choice < 910) {
      if (caller.job != nullptr && caller.cancels > 0) Cancel(caller);
    } else if (choice < 912) {
      if (restarts_ > 0) Restart();
    } else {
      now_ += absl::Microseconds(Below(2000));
    }
  }

  void Submit(Caller& caller) {
    now_ = std::max(now_, caller.not_before);
    JobSpec spec = caller.cohort->whole;
    v1::StreamCohortRequest request = caller.cohort->request;
    request.set_first_sample(caller.next);
    request.set_sample_count(caller.end - caller.next);
    spec.plan = CohortPlan::Make(request, spec.version->manifest, kCohort).value();
    spec.batch_samples = 1 + Below(40);
    spec.principal = caller.principal;
    spec.deadline = now_ + caller.patience;
    auto job = planner_->Submit(std::move(spec), now_);
    if (job.ok()) {
      caller.job = *std::move(job);
      caller.left = caller.untaken = caller.end - caller.next;
      caller.buffered = 0;
      caller.told = true;
      caller.ended = false;
      return;
    }
    if (absl::IsDeadlineExceeded(job.status())) {
      EXPECT_LT(caller.patience, absl::InfiniteDuration());
      caller.patience = absl::InfiniteDuration();
      return;
    }
    ASSERT_EQ(job.status().code(), absl::StatusCode::kResourceExhausted) << job.status();
    google::rpc::RetryInfo info;
    const auto payload = job.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo");
    ASSERT_TRUE(payload.has_value() && info.ParseFromString(std::string(*payload)));
    const absl::Duration wait =
        absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
    EXPECT_GE(wait, absl::Milliseconds(100));
    EXPECT_LE(wait, absl::Seconds(60));
    caller.not_before = now_ + wait;
  }

  void Take(Worker& worker) {
    TilePlanner::Jobs expired;
    const bool took = planner_->Take(now_, worker.tile, expired);
    Tell(expired, /*ended=*/true);
    if (!took) {
      for (const Caller& caller : callers_) {
        EXPECT_FALSE(caller.job != nullptr && caller.left > 0 && !caller.ended && caller.untaken == caller.left &&
                     caller.job->spec().deadline > now_)
            << "a worker goes idle although a job with an empty ring has samples to make";
      }
      return;
    }
    worker.begin = now_;
    EXPECT_LE(worker.tile.samples(), static_cast<int64_t>(kTileSamples));
    for (const Tile::Slice& slice : worker.tile.slices()) {
      EXPECT_EQ(slice.job->kind(), worker.tile.slices().front().job->kind());
      for (Caller& caller : callers_) {
        if (caller.job != slice.job) continue;
        caller.buffered += slice.count;
        caller.untaken -= slice.count;
        EXPECT_LE(caller.buffered, planner_->RingSamples(*slice.job));
      }
    }
  }

  void Finish(Worker& worker) {
    if (worker.tile.samples() == 0) return;
    // Now and then a tile is lost, and with it its jobs.
    const absl::Status status =
        Below(400) == 0 ? absl::ResourceExhaustedError("out of memory") : worker.tile.Generate();
    now_ += absl::Microseconds(100 + Below(2000));
    TilePlanner::Jobs ready;
    planner_->Publish(worker.tile, status, now_ - worker.begin, now_, ready);
    worker.tile.Clear();
    Tell(ready, /*ended=*/!status.ok());
  }

  void Pop(Caller& caller) {
    auto popped = planner_->Pop(caller.job, now_);
    if (!popped.ok()) {
      EXPECT_TRUE((absl::IsResourceExhausted(popped.status()) &&
                   popped.status().GetPayload("type.googleapis.com/google.rpc.RetryInfo").has_value()) ||
                  (absl::IsDeadlineExceeded(popped.status()) && caller.patience < absl::InfiniteDuration()))
          << popped.status();
      caller.patience = absl::InfiniteDuration();
      caller.job.reset();
      return;
    }
    if (*popped == nullptr) {
      caller.told = false;
      return;
    }
    const v1::GenotypeBatch batch = (*popped)->Take();
    const int64_t count = batch.sample_count();
    ASSERT_EQ(batch.first_sample(), caller.next);
    ASSERT_LE(caller.next + count, caller.end);
    const Cohort& cohort = *caller.cohort;
    const size_t size = cohort.whole.encoder.sample_bytes();
    const size_t first = static_cast<size_t>(caller.next);
    EXPECT_EQ(cohort.bytes.compare(first * size, static_cast<size_t>(count) * size, batch.genotypes()), 0);
    EXPECT_EQ(batch.crc32c(), Crc32c(batch.genotypes()));
    for (int i = 0; i < batch.label_indices_size(); ++i) {
      EXPECT_EQ(batch.label_indices(i), cohort.labels[first + static_cast<size_t>(i)]);
    }
    if (!batch.phenotypes().empty()) {
      for (int i = 0; i < count; ++i) {
        EXPECT_EQ(batch.phenotypes(0).values(i), cohort.weights[first + static_cast<size_t>(i)]);
      }
    }
    caller.next += count;
    caller.left -= count;
    caller.buffered -= count;
    if (caller.left == 0) caller.job.reset();
  }

  void Cancel(Caller& caller) {
    --caller.cancels;
    planner_->End(*caller.job, absl::CancelledError("the caller went"), now_);
    caller.job.reset();
  }

  // The server dies with all that it has, and callers find another.
  void Restart() {
    --restarts_;
    for (Worker& worker : workers_) worker.tile.Clear();
    for (Caller& caller : callers_) caller.job.reset();
    planner_ = std::make_unique<TilePlanner>(options_, live_);
    planner_->SetPrincipals(principals_);
  }

  void Tell(const TilePlanner::Jobs& jobs, bool ended) {
    for (Caller& caller : callers_) {
      if (caller.job == nullptr || std::find(jobs.begin(), jobs.end(), caller.job) == jobs.end()) continue;
      caller.told = true;
      caller.ended = caller.ended || ended;
    }
  }

  // What is queued is what callers wait for.
  void CheckQueue() const {
    int64_t waiting = 0;
    int64_t of_c = 0;
    for (const Caller& caller : callers_) {
      if (caller.job == nullptr || caller.ended) continue;
      waiting += caller.left;
      if (caller.principal == "c") of_c += caller.left;
    }
    EXPECT_EQ(planner_->queued_samples(), waiting);
    EXPECT_LE(waiting, options_.max_queued_samples);
    EXPECT_LE(of_c, kLimitOfC);
    int64_t by_class = 0;
    for (const int64_t samples : planner_->queued_by_class()) by_class += samples;
    EXPECT_EQ(by_class, waiting);
  }

  std::mt19937_64 random_;
  TilePlanner::Options options_;
  std::vector<v1::Principal> principals_;
  std::shared_ptr<LiveWork> live_;
  std::unique_ptr<TilePlanner> planner_;
  std::vector<Worker> workers_;
  std::vector<Caller> callers_;
  int64_t restarts_ = 0;  // still to come; few, so that they hide no caller who is never told
  absl::Time now_ = absl::UnixEpoch();
};

class SimulationTest : public testing::TestWithParam<Precision> {
 protected:
  void SetUp() override {
    const std::string folder = NewTestFolder();
    PublishTestAcgan(folder, "acgan", 1, kVariants);
    PublishTestWganGp(folder, "wgan", 2, kVariants);
    AddCohorts(folder, "acgan");
    AddCohorts(folder, "wgan");
    FileSystem::Posix().Remove(folder).IgnoreError();
  }

  void AddCohorts(const std::string& folder, const std::string& model) {
    const auto store = OpenStore(folder, /*create=*/false).value();
    std::shared_ptr<ServingVersion> version = LoadVersion(*store, model, 1, {}).value();
    const Artifact artifact = ReadArtifact(*store, model, 1).value();
    const GeneratorOptions options{.device = DeviceKind::kCpu, .precision = GetParam()};
    version->generator =
        std::make_unique<SmallTiles>(MakeGenerator(artifact.manifest, artifact.weights, options).value());
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      v1::StreamCohortRequest request;
      request.set_cohort_size(kCohort);
      request.set_seed(seed);
      if (seed > 1) {
        auto* region = request.add_regions();
        region->set_contig(seed == 2 ? "1" : "2");
        region->set_start(seed == 2 ? 0 : 25'000);
      }
      if (seed == 3) request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
      JobSpec whole = ResolveCohort(request, version, kCohort, 0).value().job;
      auto cohort = std::make_unique<Cohort>(Cohort{std::move(request), std::move(whole), {}, {}, {}});
      GenerateQuietly(*cohort);
      cohorts_.push_back(std::move(cohort));
    }
  }

  // One caller, one worker, nothing out of turn.
  static void GenerateQuietly(Cohort& cohort) {
    TilePlanner planner({.workers = 1, .max_queued_samples = kCohort}, std::make_shared<LiveWork>());
    const absl::Time now = absl::UnixEpoch();
    const auto job = planner.Submit(cohort.whole, now).value();
    Tile tile;
    TilePlanner::Jobs jobs;
    while (planner.queued_samples() > 0) {
      ASSERT_TRUE(planner.Take(now, tile, jobs));
      const absl::Status status = tile.Generate();
      ASSERT_TRUE(status.ok()) << status;
      planner.Publish(tile, status, absl::ZeroDuration(), now, jobs);
      tile.Clear();
      for (auto batch = planner.Pop(job, now).value(); batch != nullptr; batch = planner.Pop(job, now).value()) {
        const v1::GenotypeBatch message = batch->Take();
        cohort.bytes += message.genotypes();
        cohort.labels.insert(cohort.labels.end(), message.label_indices().begin(), message.label_indices().end());
        if (message.phenotypes().empty()) continue;
        const auto& values = message.phenotypes(0).values();
        cohort.weights.insert(cohort.weights.end(), values.begin(), values.end());
      }
    }
  }

  std::vector<std::unique_ptr<Cohort>> cohorts_;
};

TEST_P(SimulationTest, EveryScheduleGivesTheBytesOfAQuietServer) {
  for (uint64_t seed = 0; seed < kSchedules && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "schedule " << seed);
    Simulation(seed, cohorts_).Run();
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, SimulationTest,
                         testing::Values(Precision::kFp32, Precision::kBf16, Precision::kInt8),
                         [](const auto& each) { return PrecisionName(each.param); });

}  // namespace
}  // namespace genoserve
