#include "client/lib/backoff.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"

namespace genoserve {
namespace {

absl::Status WithRetryInfo(absl::Status status, int seconds) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(seconds);
  status.SetPayload("type.googleapis.com/google.rpc.RetryInfo", absl::Cord(info.SerializeAsString()));
  return status;
}

TEST(BackoffTest, DoublesWithJitterUpToABoundAndThenEnds) {
  Backoff backoff(12, absl::Milliseconds(250));
  absl::Duration bound = absl::Milliseconds(250);
  for (int i = 0; i < 12; ++i) {
    const auto delay = backoff.Next(absl::UnavailableError("gone"));
    ASSERT_TRUE(delay.has_value());
    EXPECT_GE(*delay, bound / 2);
    EXPECT_LE(*delay, bound);
    bound = std::min(2 * bound, kLongestBackoff);
  }
  EXPECT_FALSE(backoff.Next(absl::UnavailableError("gone")).has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next(absl::UnavailableError("gone")).has_value());
}

TEST(BackoffTest, WaitsAsLongAsTheServerAsks) {
  Backoff backoff(3, absl::Milliseconds(250));
  const auto delay = backoff.Next(WithRetryInfo(absl::ResourceExhaustedError("busy"), 7));
  ASSERT_TRUE(delay.has_value());
  EXPECT_GE(*delay, absl::Seconds(7));
  EXPECT_LE(*delay, absl::Seconds(9));
  EXPECT_FALSE(backoff.Next(WithRetryInfo(absl::UnavailableError("closed"), 3600)).has_value());
}

TEST(BackoffTest, DoesNotRetryWhatWaitingDoesNotCure) {
  Backoff backoff(3, absl::Milliseconds(250));
  EXPECT_FALSE(backoff.Next(absl::ResourceExhaustedError("message too large")).has_value());
  EXPECT_FALSE(backoff.Next(absl::InvalidArgumentError("bad")).has_value());
  EXPECT_FALSE(backoff.Next(absl::DataLossError("bad")).has_value());
  EXPECT_FALSE(backoff.Next(absl::DeadlineExceededError("late")).has_value());
  EXPECT_FALSE(Backoff(0, absl::Milliseconds(1)).Next(absl::UnavailableError("gone")).has_value());
}

}  // namespace
}  // namespace genoserve
