#include "server/scheduler/tile_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

#include "core/base/file.h"
#include "google/rpc/error_details.pb.h"
#include "server/service/resolve_request.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr size_t kTile = 128;
constexpr int64_t kFirst = 4;  // samples of 8 haplotypes, which go ahead
constexpr int64_t kLarge = int64_t{1} << 30;

// Takes any tile and leaves what is in it: here it matters whose samples are made, not what they are.
class NoGenotypes final : public Generator {
 public:
  Packing packing() const override { return Packing::kHaplotype1Bit; }
  size_t variant_count() const override { return 100; }
  size_t max_tile_samples() const override { return kTile; }
  absl::Status Generate(std::span<const SampleSpec>, std::span<const uint32_t>, GenotypeMatrix&) const override {
    return absl::OkStatus();
  }
};

class TilePlannerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = NewTestFolder();
    PublishTestAcgan(folder, "model", 1);
    std::unique_ptr<ServingVersion> version = LoadVersion(*OpenStore(folder, false).value(), "model", 1, {}).value();
    version->generator = std::make_unique<NoGenotypes>();
    version_ = std::move(version);
    FileSystem::Posix().Remove(folder).IgnoreError();
  }
  static void TearDownTestSuite() { version_.reset(); }

  static v1::Principal Named(const std::string& name, v1::RequestClass request_class, double weight,
                             int64_t max_queued = 0) {
    v1::Principal principal;
    principal.set_name(name);
    principal.set_class_(request_class);
    principal.set_weight(weight);
    principal.set_max_queued_samples(max_queued);
    return principal;
  }
  void Start(const std::vector<v1::Principal>& principals = {}, int64_t max_queued = int64_t{1} << 40,
             int workers = 1) {
    planner_ = std::make_unique<TilePlanner>(TilePlanner::Options{workers, max_queued}, live_);
    planner_->SetPrincipals(principals);
  }

  static JobSpec Spec(int64_t samples, const std::string& principal, bool one_snp = false) {
    v1::StreamCohortRequest request;
    request.set_cohort_size(samples);
    request.set_seed(1);
    if (one_snp) {
      auto* region = request.add_regions();
      region->set_contig("1");
      region->set_start(100);
      region->set_end(101);
    }
    JobSpec spec = ResolveCohort(request, version_, int64_t{1} << 40, 0).value().job;
    spec.principal = principal;
    return spec;
  }
  std::shared_ptr<GenerationJob> Submit(int64_t samples, const std::string& principal = "") {
    auto job = planner_->Submit(Spec(samples, principal), now_);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.value_or(nullptr);
  }

  std::shared_ptr<GenerationJob> SubmitOneSnp(int64_t samples, const std::string& principal) {
    auto job = planner_->Submit(Spec(samples, principal, /*one_snp=*/true), now_);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.value_or(nullptr);
  }

  // Samples of each job in the next tile, which is generated, in `took` or else in what a full tile of its kind takes
  // in proportion, and popped by its callers.
  std::map<std::shared_ptr<GenerationJob>, int64_t> Next(std::optional<absl::Duration> took = std::nullopt) {
    std::map<std::shared_ptr<GenerationJob>, int64_t> samples;
    TilePlanner::Jobs jobs;
    Tile tile;
    if (!planner_->Take(now_, tile, jobs)) return samples;
    const absl::Status status = tile.Generate();
    const bool whole = tile.slices().front().job->kind()->blocks.empty();
    const absl::Duration per_sample = (whole ? whole_tile_ : one_snp_tile_) / static_cast<int64_t>(kTile);
    if (!took.has_value()) took = tile.samples() * per_sample;
    now_ += *took;
    planner_->Publish(tile, status, *took, now_, jobs);
    for (const Tile::Slice& slice : tile.slices()) {
      samples[slice.job] += slice.count;
      spent_[slice.job->spec().principal] += *took * slice.count / tile.samples();
    }
    for (const Tile::Slice& slice : tile.slices()) {
      while (true) {
        const auto batch = planner_->Pop(slice.job, now_);
        if (!batch.ok() || *batch == nullptr) break;
      }
    }
    return samples;
  }
  // The same of many tiles, by principal.
  std::map<std::string, int64_t> Shares(int tiles) {
    std::map<std::string, int64_t> shares;
    for (int i = 0; i < tiles; ++i) {
      for (const auto& [job, samples] : Next()) shares[job->spec().principal] += samples;
    }
    return shares;
  }
  static absl::Duration RetryDelay(const absl::Status& status) {
    google::rpc::RetryInfo info;
    const auto payload = status.GetPayload("type.googleapis.com/google.rpc.RetryInfo");
    EXPECT_TRUE(payload.has_value() && info.ParseFromString(std::string(*payload))) << status;
    return absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
  }

  static ModelHandle version_;
  std::shared_ptr<LiveWork> live_ = std::make_shared<LiveWork>();
  std::unique_ptr<TilePlanner> planner_;
  absl::Time now_ = absl::UnixEpoch();
  // What full tiles of all variants and of one take.
  absl::Duration whole_tile_ = kTile * absl::Microseconds(10);
  absl::Duration one_snp_tile_ = kTile * absl::Microseconds(6);
  std::map<std::string, absl::Duration> spent_;  // on each principal
};

ModelHandle TilePlannerTest::version_;

TEST_F(TilePlannerTest, TheFirstSamplesOfAJobGoAheadInASmallTile) {
  Start();
  const auto bulk = Submit(kLarge);
  EXPECT_EQ(Next()[bulk], kFirst);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Next()[bulk], kTile);
  const auto late = Submit(kLarge);
  const auto tile = Next();
  EXPECT_EQ(tile.size(), 1);
  EXPECT_EQ(tile.at(late), kFirst);
}

TEST_F(TilePlannerTest, TheFirstBatchIsTheFirstSamples) {
  Start();
  const auto job = Submit(100'000);
  TilePlanner::Jobs ready;
  Tile tile;
  ASSERT_TRUE(planner_->Take(now_, tile, ready));
  planner_->Publish(tile, tile.Generate(), absl::Milliseconds(1), now_, ready);
  ASSERT_EQ(ready.size(), 1);
  EXPECT_EQ((*planner_->Pop(job, now_))->count(), kFirst);
}

TEST_F(TilePlannerTest, AnInteractiveJobIsNextAndItsTileHasNoBulkSamples) {
  Start({Named("ci", v1::REQUEST_CLASS_CI, 1)});
  std::vector<std::shared_ptr<GenerationJob>> bulk;
  for (int i = 0; i < 16; ++i) bulk.push_back(Submit(kLarge, i % 2 == 0 ? "ci" : ""));
  for (int i = 0; i < 100; ++i) Next();
  for (int i = 0; i < 20; ++i) {
    const auto small = Submit(16);
    const auto tile = Next();
    ASSERT_EQ(tile.size(), 1);
    EXPECT_EQ(tile.at(small), 16);
    Next();
  }
}

TEST_F(TilePlannerTest, SmallJobsShareATile) {
  Start();
  std::vector<std::shared_ptr<GenerationJob>> jobs;
  for (int i = 0; i < 64; ++i) jobs.push_back(Submit(16, i % 3 == 0 ? "a" : "b"));
  for (int i = 0; i < 8; ++i) EXPECT_EQ(Next().size(), kTile / 16);
  EXPECT_FALSE(planner_->HasWork());
}

TEST_F(TilePlannerTest, ClassesShareByWeightWithoutStarving) {
  Start({Named("ci", v1::REQUEST_CLASS_CI, 1), Named("bulk", v1::REQUEST_CLASS_BULK, 1)});
  const auto bulk = Submit(kLarge, "bulk");
  const auto ci = Submit(kLarge, "ci");
  std::map<std::string, int64_t> shares;
  for (int i = 0; i < 2100; ++i) {
    // Somebody always asks for a tile at once.
    if (i % 2 == 0) Submit(kTile, "interactive");
    Submit(kTile, "interactive");
    for (const auto& [job, samples] : Next()) shares[job->spec().principal] += samples;
  }
  EXPECT_NEAR(static_cast<double>(shares["ci"]), 4.0 * static_cast<double>(shares["bulk"]), 2 * 4 * kTile);
  EXPECT_NEAR(static_cast<double>(shares["interactive"]), 16.0 * static_cast<double>(shares["bulk"]), 2 * 16 * kTile);
}

// The bound of start-time fair queueing: what two members had, over their weights, differs by one charge of each.
TEST_F(TilePlannerTest, PrincipalsShareByWeightWithinATile) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<v1::Principal> principals;
    for (uint64_t i = 0; i < 2 + random() % 4; ++i) {
      principals.push_back(
          Named("p" + std::to_string(i), v1::REQUEST_CLASS_BULK, 0.25 * static_cast<double>(1 + random() % 16)));
    }
    Start(principals);
    std::vector<std::shared_ptr<GenerationJob>> jobs;
    for (const auto& principal : principals) {
      for (uint64_t i = 0; i < 1 + random() % 4; ++i) jobs.push_back(Submit(kLarge, principal.name()));
    }
    const int tiles = static_cast<int>(50 + random() % 200);
    std::map<std::string, int64_t> shares = Shares(tiles);
    for (const auto& p : principals) {
      for (const auto& q : principals) {
        const double difference =
            static_cast<double>(shares[p.name()]) / p.weight() - static_cast<double>(shares[q.name()]) / q.weight();
        // The first samples of the jobs come on top.
        const double bound = (kTile + 4 * 16) / p.weight() + (kTile + 4 * 16) / q.weight();
        EXPECT_LE(difference, bound) << "round " << round;
      }
    }
  }
}

// As when the configuration is read again: what they had under the old weights is not made up for.
TEST_F(TilePlannerTest, NewSharesCountFromNowOn) {
  Start({Named("a", v1::REQUEST_CLASS_BULK, 1), Named("b", v1::REQUEST_CLASS_BULK, 1)});
  Submit(kLarge, "a");
  Submit(kLarge, "b");
  Shares(100);
  planner_->SetPrincipals({Named("a", v1::REQUEST_CLASS_BULK, 3, /*max_queued=*/100)});
  std::map<std::string, int64_t> shares = Shares(400);
  EXPECT_NEAR(static_cast<double>(shares["a"]) / static_cast<double>(shares["b"]), 3, 0.1);
  EXPECT_EQ(planner_->Submit(Spec(101, "a"), now_).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(planner_->Submit(Spec(101, "b"), now_).ok());
}

// One variant of a network costs more than half of a row, so that what is asked for is no measure of a turn.
TEST_F(TilePlannerTest, ARegionIsChargedWhatItTakes) {
  Start();
  const auto whole = Submit(kLarge, "whole");
  const auto region = SubmitOneSnp(kLarge, "region");
  for (int i = 0; i < 1000; ++i) Next();
  EXPECT_LE(absl::AbsDuration(spent_["whole"] - spent_["region"]), 2 * whole_tile_);
}

TEST_F(TilePlannerTest, LoopsOverOneVariantDoNotStarveBulk) {
  // Tiles that are too small for a measure of their kind, one request after the other, and a fixed cost for each.
  for (const int64_t samples : {int64_t{1}, static_cast<int64_t>(kTile)}) {
    Start();
    spent_.clear();
    const auto bulk = Submit(kLarge, "bulk");
    std::shared_ptr<GenerationJob> loop = SubmitOneSnp(samples, "loop");
    for (int i = 0; i < 3000; ++i) {
      const bool had_turn = Next(one_snp_tile_).contains(loop);
      if (had_turn) loop = SubmitOneSnp(samples, "loop");
    }
    EXPECT_LE(absl::AbsDuration(spent_["loop"] - 16 * spent_["bulk"]), 2 * 16 * one_snp_tile_) << samples;
  }
}

TEST_F(TilePlannerTest, TheLeadOfInteractiveWorkIsOfTheTilesAtHand) {
  Start();
  whole_tile_ = absl::Seconds(1);
  one_snp_tile_ = absl::Milliseconds(1);
  const auto large = Submit(kLarge, "large");
  for (int i = 0; i < 20; ++i) Next();
  planner_->End(*large, absl::CancelledError("gone"), now_);
  const auto bulk = SubmitOneSnp(kLarge, "bulk");
  for (int i = 0; i < 100; ++i) Next();
  spent_.clear();
  std::shared_ptr<GenerationJob> loop = SubmitOneSnp(kTile, "loop");
  while (Next().contains(loop)) loop = SubmitOneSnp(kTile, "loop");
  // It may lead by a tile in virtual time and had one to catch up with.
  EXPECT_LE(spent_["loop"], (2 * 16 + 1) * one_snp_tile_) << "a large model that was served before is no excuse";
}

TEST_F(TilePlannerTest, OnePrincipalGainsNothingByManyJobs) {
  Start();
  std::vector<std::shared_ptr<GenerationJob>> jobs = {Submit(kLarge, "one")};
  for (int i = 0; i < 31; ++i) jobs.push_back(Submit(kLarge, "many"));
  std::map<std::string, int64_t> shares = Shares(1000);
  EXPECT_NEAR(static_cast<double>(shares["one"]), static_cast<double>(shares["many"]), 2 * kTile + 32 * 16);
  // Within a principal jobs have turns.
  std::map<std::shared_ptr<GenerationJob>, int64_t> turns;
  for (int i = 0; i < 62; ++i) {
    for (const auto& [job, samples] : Next()) turns[job] += job->spec().principal == "many" ? 1 : 0;
  }
  for (size_t i = 1; i < jobs.size(); ++i) EXPECT_EQ(turns[jobs[i]], 1);
}

TEST_F(TilePlannerTest, WhoComesBackIsNextButHasNoClaimToThePast) {
  Start();
  const auto a = Submit(kLarge, "a");
  Shares(1000);
  const auto b = Submit(kLarge, "b");
  std::map<std::string, int64_t> shares = Shares(100);
  EXPECT_NEAR(static_cast<double>(shares["a"]), static_cast<double>(shares["b"]), 2 * kTile);
}

TEST_F(TilePlannerTest, AFullRingIsNotFilledFurther) {
  Start();
  const auto job = Submit(kLarge);
  TilePlanner::Jobs ready;
  int64_t taken = 0;
  for (Tile tile; planner_->Take(now_, tile, ready); tile.Clear()) {
    taken += tile.samples();
    planner_->Publish(tile, tile.Generate(), absl::Milliseconds(1), now_, ready);
  }
  EXPECT_LE(taken, planner_->RingSamples(*job));
  EXPECT_GE(taken, planner_->RingSamples(*job) / 2);
  EXPECT_EQ(planner_->queued_samples(), kLarge);
  ASSERT_TRUE(planner_->Pop(job, now_).ok());
  ASSERT_TRUE(planner_->Pop(job, now_).ok());
  EXPECT_TRUE(planner_->HasWork());
}

TEST_F(TilePlannerTest, RingsShareTheMemoryBeyondTheirBatches) {
  Start({}, int64_t{1} << 40, /*workers=*/4);
  JobSpec spec = Spec(kLarge, "");
  spec.batch_samples = 10;
  const auto alone = planner_->Submit(spec, now_).value();
  EXPECT_EQ(planner_->RingSamples(*alone), 4 * 4 * kTile);
  std::vector<std::shared_ptr<GenerationJob>> others;
  for (int i = 0; i < 255; ++i) others.push_back(planner_->Submit(spec, now_).value());
  EXPECT_EQ(planner_->RingSamples(*alone), 20);
  int64_t samples = 0;
  for (int i = 0; i < 100; ++i) {
    for (const auto& [job, count] : Next()) samples += count;
  }
  EXPECT_GE(samples, 100 * static_cast<int64_t>(kTile) * 9 / 10) << "tiles are filled from many small rings";
}

TEST_F(TilePlannerTest, TheQueueIsBoundedInAllAndByPrincipal) {
  Start({Named("small", v1::REQUEST_CLASS_BULK, 1, 500)}, 2000);
  const auto first = Submit(400, "small");
  const auto own = planner_->Submit(Spec(200, "small"), now_).status();
  EXPECT_EQ(own.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(own.message()), HasSubstr("400 samples of this principal are queued and at most 500"));
  EXPECT_EQ(RetryDelay(own), absl::Seconds(1));
  // Waiting would not help.
  EXPECT_EQ(planner_->Submit(Spec(501, "small"), now_).status().code(), absl::StatusCode::kInvalidArgument);
  const auto second = Submit(1500, "large");
  const auto all = planner_->Submit(Spec(101, "third"), now_).status();
  EXPECT_EQ(all.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(all.message()), HasSubstr("1900 samples are queued and at most 2000"));
  EXPECT_NE(Submit(100, "third"), nullptr);
  planner_->End(*second, absl::CancelledError("gone"), now_);
  EXPECT_NE(Submit(1500, "third"), nullptr);
}

TEST_F(TilePlannerTest, TheRetryDelayIsTheTimeThatTheQueueNeeds) {
  Start({}, 100'000);
  JobSpec spec = Spec(100'000, "");
  spec.batch_samples = 256;
  const auto first = planner_->Submit(std::move(spec), now_).value();
  for (int i = 0; i < 400; ++i) Next(absl::Milliseconds(10));  // 12,800 samples a second
  const int64_t queued = planner_->queued_samples();
  const auto refused = planner_->Submit(Spec(100'000, "b"), now_).status();
  EXPECT_NEAR(absl::ToDoubleSeconds(RetryDelay(refused)), static_cast<double>(queued) / 12'800,
              0.1 * static_cast<double>(queued) / 12'800);
}

TEST_F(TilePlannerTest, DeadlinesAreJudgedOnlyByWhatWasMeasured) {
  Start({}, kLarge, /*workers=*/2);
  const auto submit = [&](int64_t samples, absl::Duration left, const std::string& principal) {
    JobSpec spec = Spec(samples, principal);
    spec.deadline = now_ + left;
    return planner_->Submit(std::move(spec), now_);
  };
  EXPECT_EQ(submit(10, absl::ZeroDuration(), "").status().code(), absl::StatusCode::kDeadlineExceeded);
  // Nothing is known yet.
  const auto hopeless = submit(1'000'000, absl::Milliseconds(1), "");
  ASSERT_TRUE(hopeless.ok());
  planner_->End(**hopeless, absl::CancelledError(""), now_);
  const auto job = Submit(200'000, "a");
  for (int i = 0; i < 40; ++i) Next(absl::Milliseconds(10));  // twice 12,800 samples a second
  // Even alone: 25,600 samples need a second.
  EXPECT_EQ(submit(25'600, absl::Milliseconds(700), "b").status().code(), absl::StatusCode::kDeadlineExceeded);
  const auto likely = submit(25'600, absl::Milliseconds(900), "b");
  ASSERT_TRUE(likely.ok()) << "by a little: the measure is not that good";
  // Behind as much again of the same principal two seconds; of others no account is taken.
  const auto behind = submit(25'600, absl::Milliseconds(1000), "b").status();
  EXPECT_EQ(behind.code(), absl::StatusCode::kResourceExhausted) << behind;
  EXPECT_NEAR(absl::ToDoubleSeconds(RetryDelay(behind)), 1, 0.05);
  EXPECT_TRUE(submit(25'600, absl::Milliseconds(1000), "c").ok());
  EXPECT_TRUE(submit(25'600, absl::Milliseconds(2000), "b").ok());
}

TEST_F(TilePlannerTest, AStalledStreamDoesNotMakeADeadlineHopeless) {
  Start();
  const auto job = Submit(200'000, "a");
  for (int i = 0; i < 40; ++i) Next(absl::Milliseconds(10));  // 12,800 samples a second
  JobSpec feasible = Spec(12'800, "a");
  feasible.deadline = now_ + absl::Seconds(1);
  EXPECT_TRUE(absl::IsResourceExhausted(planner_->Submit(feasible, now_).status())) << "the other one runs";
  // Nobody reads it any more.
  TilePlanner::Jobs ready;
  for (Tile tile; planner_->Take(now_, tile, ready); tile.Clear()) {
    planner_->Publish(tile, tile.Generate(), absl::Milliseconds(10), now_, ready);
  }
  const absl::Status status = planner_->Submit(feasible, now_).status();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(TilePlannerTest, AJobPastItsDeadlineIsNotGenerated) {
  Start();
  JobSpec spec = Spec(1000, "");
  spec.deadline = now_ + absl::Seconds(1);
  const auto job = planner_->Submit(std::move(spec), now_).value();
  Next();
  const int64_t taken = planner_->taken_samples();
  now_ += absl::Seconds(1);
  Tile tile;
  TilePlanner::Jobs expired;
  EXPECT_FALSE(planner_->Take(now_, tile, expired));
  EXPECT_EQ(expired, TilePlanner::Jobs{job});
  EXPECT_EQ(planner_->Pop(job, now_).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(planner_->taken_samples(), taken);
  EXPECT_EQ(planner_->queued_samples(), 0);
}

TEST_F(TilePlannerTest, AnErrorEndsTheJobsOfTheTile) {
  Start();
  const auto a = Submit(16);
  const auto b = Submit(16);
  Tile tile;
  TilePlanner::Jobs ready;
  ASSERT_TRUE(planner_->Take(now_, tile, ready));
  planner_->Publish(tile, absl::InternalError("a bug"), absl::ZeroDuration(), now_, ready);
  EXPECT_EQ(ready.size(), 2);
  EXPECT_EQ(planner_->Pop(a, now_).status().message(), "a bug");
  EXPECT_EQ(planner_->Pop(b, now_).status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(planner_->queued_samples(), 0);
}

TEST_F(TilePlannerTest, ATileWithoutMemoryIsToBeAskedForAgain) {
  Start();
  const std::vector<std::shared_ptr<GenerationJob>> mates = {Submit(16), Submit(16)};
  Tile tile;
  TilePlanner::Jobs ready;
  ASSERT_TRUE(planner_->Take(now_, tile, ready));
  planner_->Publish(tile, absl::ResourceExhaustedError("out of memory"), absl::ZeroDuration(), now_, ready);
  for (const auto& mate : mates) {
    const absl::Status status = planner_->Pop(mate, now_).status();
    EXPECT_TRUE(absl::IsResourceExhausted(status));
    EXPECT_EQ(status.message(), "out of memory");
    EXPECT_GT(RetryDelay(status), absl::ZeroDuration());
  }
}

}  // namespace
}  // namespace genoserve
