#include "trainer/loop/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace genoserve {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ProgressTest, PlainLinesComeEveryTenSeconds) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {}, clock, 0, 1000, absl::InfiniteDuration());
  for (int step = 1; step <= 40; ++step) {
    clock.Advance(absl::Milliseconds(500));
    progress.Update(step, {{"critic", step <= 20 ? 1.0 : 3.0}});
  }
  EXPECT_EQ(out.str(),
            "step 20/1000  2.00 steps/s  8 min 10 s left  critic 1\n"
            "step 40/1000  2.00 steps/s  8 min 00 s left  critic 3\n")
      << "losses are means since the last line";
  const std::string before = out.str();
  progress.Finish();
  EXPECT_EQ(out.str(), before) << "nothing new to tell";
}

TEST(ProgressTest, TimeLeftKnowsOfTheTimeLimitAndOfStepsDoneBefore) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {}, clock, 500, 1000, absl::Seconds(30));
  clock.Advance(absl::Seconds(10));
  progress.Update(510, {});
  EXPECT_EQ(out.str(), "step 510/1000  1.00 steps/s  20 s left\n");
}

TEST(ProgressTest, TheBarIsRedrawnAtMostFiveTimesASecond) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {.bar = true, .colour = false, .width = 60}, clock, 0, 1000, absl::InfiniteDuration());
  for (int step = 1; step <= 500; ++step) {
    clock.Advance(absl::Milliseconds(10));
    progress.Update(step, {{"critic", -1}});
  }
  progress.Finish();
  const std::string drawn = out.str();
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), '\r'), 25);
  EXPECT_THAT(drawn, HasSubstr("\r[##########----------] step 500/1000  100 steps/s  5 s left"));
  EXPECT_THAT(drawn, EndsWith("\n"));
  EXPECT_THAT(drawn, Not(HasSubstr("\x1b[32m"))) << "no colour unless asked for";
}

TEST(ProgressTest, TheBarFitsTheTerminal) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {.bar = true, .colour = false, .width = 40}, clock, 0, 10, absl::InfiniteDuration());
  clock.Advance(absl::Seconds(1));
  progress.Update(1, {{"a_loss_with_a_long_name", 1.0}});
  const std::string drawn = out.str().substr(1, out.str().find("\x1b[K") - 1);
  EXPECT_LT(drawn.size(), 40);
}

TEST(ProgressTest, AMessageHasALineOfItsOwn) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {.bar = true, .colour = false, .width = 80}, clock, 0, 10, absl::InfiniteDuration());
  clock.Advance(absl::Seconds(1));
  progress.Update(1, {});
  progress.Say("disk full");
  EXPECT_THAT(out.str(), EndsWith("\r\x1b[Kdisk full\n"));
}

TEST(ProgressTest, DurationsForPeople) {
  EXPECT_EQ(HumanDuration(absl::Seconds(59)), "59 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(125)), "2 min 05 s");
  EXPECT_EQ(HumanDuration(absl::Minutes(130)), "2 h 10 min");
  EXPECT_EQ(HumanDuration(absl::Seconds(-1)), "0 s");
}

}  // namespace
}  // namespace genoserve
