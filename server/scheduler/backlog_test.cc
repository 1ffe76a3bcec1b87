#include "server/scheduler/backlog.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(BacklogTest, TheWaitFollowsTheMeasuredDrain) {
  absl::Time now = absl::UnixEpoch();
  Backlog backlog(10'000);
  backlog.Add(10'000, now);
  EXPECT_EQ(backlog.Wait(100, now), absl::Seconds(1)) << "nothing is known yet";
  for (int i = 0; i < 80; ++i) backlog.Drain(50, now += absl::Milliseconds(50));  // 1,000 a second
  EXPECT_EQ(backlog.samples(), 6000);
  EXPECT_EQ(backlog.Wait(4000, now), absl::ZeroDuration());
  EXPECT_NEAR(absl::ToDoubleSeconds(backlog.Wait(6000, now)), 2.0, 0.01);
  EXPECT_EQ(backlog.Wait(4001, now), absl::Milliseconds(100)) << "no shorter";
  EXPECT_EQ(backlog.Wait(1'000'000, now), absl::Seconds(60)) << "no longer";
}

TEST(BacklogTest, AnEmptyQueueSaysNothingOfTheRate) {
  absl::Time now = absl::UnixEpoch();
  Backlog backlog(1000);
  for (int i = 0; i < 20; ++i) {
    backlog.Add(1000, now);
    backlog.Drain(1000, now += absl::Seconds(1));
    now += absl::Hours(1);
  }
  backlog.Add(1000, now);
  EXPECT_NEAR(absl::ToDoubleSeconds(backlog.Wait(500, now)), 0.5, 0.01);
}

TEST(BacklogTest, ReadersThatStopAreNoticed) {
  absl::Time now = absl::UnixEpoch();
  Backlog backlog(100'000);
  backlog.Add(100'000, now);
  for (int i = 0; i < 80; ++i) backlog.Drain(50, now += absl::Milliseconds(50));
  const absl::Duration before = backlog.Wait(10'000, now);
  EXPECT_GT(backlog.Wait(10'000, now + absl::Seconds(20)), 3 * before);
}

}  // namespace
}  // namespace genoserve
