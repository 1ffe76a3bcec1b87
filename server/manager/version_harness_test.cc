#include "server/manager/version_harness.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "core/base/clock.h"

namespace genoserve {
namespace {

using Event = VersionEvent;
using Phase = VersionPhase;

constexpr Phase kPhases[] = {Phase::kNew,         Phase::kLoading,  Phase::kServing,  Phase::kRetiring,
                             Phase::kParking,     Phase::kUnloaded, Phase::kDeferred, Phase::kFailed,
                             Phase::kQuarantined, Phase::kTooLarge};
constexpr Event kEvents[] = {Event::kLoad,   Event::kVerified, Event::kLoaded, Event::kFail,
                             Event::kRefuse, Event::kOutgrow,  Event::kDefer,  Event::kRetire,
                             Event::kPark,   Event::kFree,     Event::kRevive, Event::kForgive};

// A row a phase, a letter an event in the order of kEvents: the phase that it leads to, '.' where it does not apply.
// New, Loading, Serving, Retiring, Parking, Unloaded, Deferred, Failed, Quarantined, Too large.
constexpr char kLetters[] = "NLSRPUDFQT";
constexpr const char* kTable[] = {
    // load verified loaded fail refuse outgrow defer retire park free revive forgive
    "L..FQTD.....",  // new
    ".NSFQ.......",  // loading
    ".......RP...",  // serving
    "........PNS.",  // retiring
    ".........US.",  // parking
    "L..FQT......",  // unloaded
    "L..FQT......",  // deferred
    "L..FQT.....N",  // failed
    "...........N",  // quarantined
    "...........N",  // too large
};

TEST(VersionHarnessTest, EveryPhaseTakesTheEventsOfTheTableAndNoOthers) {
  for (size_t p = 0; p < std::size(kPhases); ++p) {
    for (size_t e = 0; e < std::size(kEvents); ++e) {
      const char letter = kTable[p][e];
      EXPECT_EQ(Applies(kPhases[p], kEvents[e]), letter != '.') << p << " " << e;
      if (letter == '.') {
        EXPECT_EQ(NextPhase(kPhases[p], kEvents[e]), kPhases[p]) << p << " " << e;
        continue;
      }
      const auto next = static_cast<size_t>(NextPhase(kPhases[p], kEvents[e]));
      EXPECT_EQ(kLetters[next], letter) << p << " " << e;
    }
  }
}

TEST(VersionHarnessTest, PhasesAreToldAsStates) {
  const std::map<Phase, std::pair<v1::ModelState, bool>> told = {
      {Phase::kNew, {v1::MODEL_STATE_UNSPECIFIED, false}}, {Phase::kLoading, {v1::MODEL_STATE_LOADING, true}},
      {Phase::kServing, {v1::MODEL_STATE_SERVING, true}},  {Phase::kRetiring, {v1::MODEL_STATE_DRAINING, true}},
      {Phase::kParking, {v1::MODEL_STATE_DRAINING, true}}, {Phase::kUnloaded, {v1::MODEL_STATE_UNLOADED, false}},
      {Phase::kFailed, {v1::MODEL_STATE_FAILED, false}},   {Phase::kQuarantined, {v1::MODEL_STATE_FAILED, false}},
      {Phase::kTooLarge, {v1::MODEL_STATE_FAILED, false}}, {Phase::kDeferred, {v1::MODEL_STATE_UNLOADED, false}},
  };
  ASSERT_EQ(told.size(), std::size(kPhases));
  for (const auto& [phase, expected] : told) {
    EXPECT_EQ(StateOf(phase), expected.first);
    EXPECT_EQ(IsInMemory(phase), expected.second);
  }
}

class HarnessTest : public testing::Test {
 protected:
  bool Apply(Event event) { return harness_.Apply(event, clock_.Now()); }
  bool Fail(const absl::Status& status, double jitter = 1) { return harness_.Fail(status, jitter, clock_.Now()); }

  FakeClock clock_;
  VersionHarness harness_;
};

TEST_F(HarnessTest, WhatMayPassIsTriedAgainAfterLongerAndLongerTimes) {
  for (const int seconds : {1, 2, 4}) {
    ASSERT_TRUE(Apply(Event::kLoad));
    ASSERT_TRUE(Fail(absl::UnavailableError("away")));
    EXPECT_EQ(harness_.retry_at(), clock_.Now() + absl::Seconds(seconds));
  }
  EXPECT_EQ(harness_.attempts(), 3);
  EXPECT_EQ(harness_.reason(), "away");
  ASSERT_TRUE(Apply(Event::kLoad));
  EXPECT_EQ(harness_.attempts(), 3) << "it is not well yet";
  ASSERT_TRUE(Apply(Event::kLoaded));
  EXPECT_EQ(harness_.attempts(), 0);
  EXPECT_EQ(harness_.reason(), "");
  EXPECT_EQ(harness_.retry_at(), absl::InfiniteFuture());
}

TEST_F(HarnessTest, JitterBringsARetryForwardByUpToHalf) {
  ASSERT_TRUE(Fail(absl::UnavailableError("away"), 0));
  EXPECT_EQ(harness_.retry_at(), clock_.Now() + absl::Milliseconds(500));
  ASSERT_TRUE(Fail(absl::UnavailableError("away"), 0.5));
  EXPECT_EQ(harness_.retry_at(), clock_.Now() + absl::Milliseconds(1500));
}

TEST_F(HarnessTest, WhatWillNotPassIsQuarantinedUntilItIsForgiven) {
  ASSERT_TRUE(Apply(Event::kLoad));
  ASSERT_TRUE(Fail(absl::DataLossError("wrong digest")));
  EXPECT_EQ(harness_.phase(), Phase::kQuarantined);
  EXPECT_EQ(harness_.retry_at(), absl::InfiniteFuture());
  EXPECT_FALSE(Apply(Event::kLoad));
  EXPECT_EQ(harness_.reason(), "wrong digest");
  clock_.Advance(absl::Seconds(3));
  ASSERT_TRUE(Apply(Event::kForgive));
  EXPECT_EQ(harness_.phase(), Phase::kNew);
  EXPECT_EQ(harness_.attempts(), 0);
  EXPECT_EQ(harness_.changed_at(), clock_.Now());
}

TEST_F(HarnessTest, AVersionThatFailsIsNoLongerVerified) {
  ASSERT_TRUE(Apply(Event::kLoad));
  ASSERT_TRUE(Apply(Event::kVerified));
  EXPECT_TRUE(harness_.verified());
  ASSERT_TRUE(Apply(Event::kLoad));
  EXPECT_TRUE(harness_.verified());
  ASSERT_TRUE(Fail(absl::UnavailableError("away")));
  EXPECT_FALSE(harness_.verified());
}

TEST_F(HarnessTest, AnEventThatDoesNotApplyChangesNothing) {
  ASSERT_TRUE(Apply(Event::kLoad));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Apply(Event::kRetire));
  EXPECT_EQ(harness_.phase(), Phase::kLoading);
  EXPECT_EQ(harness_.changed_at(), absl::UnixEpoch());
}

TEST(RetryTest, OnlyWhatMayPassIsRetriedAndLessAndLessOften) {
  EXPECT_TRUE(IsTransient(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(IsTransient(absl::StatusCode::kNotFound));
  EXPECT_TRUE(IsTransient(absl::StatusCode::kUnknown));
  EXPECT_FALSE(IsTransient(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(IsTransient(absl::StatusCode::kInvalidArgument));
  EXPECT_FALSE(IsTransient(absl::StatusCode::kInternal));
  EXPECT_EQ(RetryDelay(1), absl::Seconds(1));
  EXPECT_EQ(RetryDelay(4), absl::Seconds(8));
  EXPECT_EQ(RetryDelay(1000), absl::Minutes(5));
}

}  // namespace
}  // namespace genoserve
