#include "core/base/clock.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(SteadyClockTest, BeginsAtTheMachinesTimeAndNeverGoesBack) {
  const absl::Time before = absl::Now();
  absl::Time last = Clock::Steady().Now();
  // Nobody sets the machine's clock by more than that while a test runs.
  EXPECT_LT(absl::AbsDuration(last - before), absl::Minutes(10));
  for (int i = 0; i < 1000; ++i) {
    const absl::Time now = Clock::Steady().Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace genoserve
