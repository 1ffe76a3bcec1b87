#include "server/manager/version_policy.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

VersionSnapshot In(v1::ModelState state) { return {state, absl::InfiniteFuture()}; }
VersionSnapshot RetryAt(absl::Time time) { return {v1::MODEL_STATE_FAILED, time}; }

const VersionSnapshot kLoading = In(v1::MODEL_STATE_LOADING);
const VersionSnapshot kServing = In(v1::MODEL_STATE_SERVING);
const VersionSnapshot kDraining = In(v1::MODEL_STATE_DRAINING);
const VersionSnapshot kQuarantined = In(v1::MODEL_STATE_FAILED);
const VersionSnapshot kWaiting = RetryAt(kNow + absl::Seconds(1));
const VersionSnapshot kDue = RetryAt(kNow);

TEST(VersionPolicyTest, TheNewestVersionThatCanServesDoes) {
  const struct {
    std::vector<int64_t> in_store;
    ModelSnapshot known;
    std::optional<int64_t> next;
  } cases[] = {
      {{}, {}, std::nullopt},
      {{1, 2, 3}, {}, 3},
      {{1, 2, 3}, {{3, kServing}}, std::nullopt},
      {{1, 2, 3}, {{3, kLoading}}, std::nullopt},
      {{1, 2, 3}, {{2, kServing}}, 3},
      {{1, 2, 3}, {{2, kServing}, {3, kLoading}}, std::nullopt},
      {{1, 2, 3}, {{2, kServing}, {3, kQuarantined}}, std::nullopt},  // the old one goes on
      {{1, 2, 3}, {{2, kServing}, {3, kWaiting}}, std::nullopt},
      {{1, 2, 3}, {{2, kServing}, {3, kDue}}, 3},
      {{1, 2, 3}, {{3, kQuarantined}}, 2},  // nothing serves: the last good one
      {{1, 2, 3}, {{3, kQuarantined}, {2, kQuarantined}, {1, kWaiting}}, std::nullopt},
      {{1, 2}, {{3, kServing}}, 2},                  // the newest was taken out of the store
      {{1, 2}, {{2, kDraining}, {3, kServing}}, 2},  // likewise, and the one before still drains
      {{1, 2, 3}, {{2, kDraining}, {3, kServing}}, std::nullopt},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(NextToServe(each.in_store, each.known, kNow), each.next) << &each - cases;
  }
}

TEST(VersionPolicyTest, OnlyWhatMayPassIsRetriedAndLessAndLessOften) {
  EXPECT_TRUE(IsTransient(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(IsTransient(absl::StatusCode::kNotFound));
  EXPECT_TRUE(IsTransient(absl::StatusCode::kUnknown));
  EXPECT_FALSE(IsTransient(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(IsTransient(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(RetryDelay(1), absl::Seconds(1));
  EXPECT_EQ(RetryDelay(4), absl::Seconds(8));
  EXPECT_EQ(RetryDelay(1000), absl::Minutes(5));
}

}  // namespace
}  // namespace genoserve
