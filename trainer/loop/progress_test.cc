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
    progress.OnStep(step, {{"critic", step <= 20 ? 1.0 : 3.0}});
  }
  EXPECT_EQ(out.str(),
            "step 20/1000  2.00 steps/s  8 min 10 s left  critic 1\n"
            "step 40/1000  2.00 steps/s  8 min 00 s left  critic 3\n")
      << "losses are means since the last line";
  const std::string before = out.str();
  progress.OnEnd();
  EXPECT_EQ(out.str(), before) << "nothing new to tell";
}

TEST(ProgressTest, TimeLeftKnowsOfTheTimeLimitAndOfStepsDoneBefore) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {}, clock, 500, 1000, absl::Seconds(30));
  for (int64_t step = 501; step <= 509; ++step) progress.OnStep(step, {});
  clock.Advance(absl::Seconds(10));
  progress.OnStep(510, {});
  EXPECT_EQ(out.str(), "step 510/1000  1.00 steps/s  20 s left\n");
}

TEST(ProgressTest, TheBarIsRedrawnAtMostFiveTimesASecond) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {.bar = true, .colour = false, .width = 60}, clock, 0, 1000, absl::InfiniteDuration());
  for (int step = 1; step <= 500; ++step) {
    clock.Advance(absl::Milliseconds(10));
    progress.OnStep(step, {{"critic", -1}});
  }
  progress.OnEnd();
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
  progress.OnStep(1, {{"a_loss_with_a_long_name", 1.0}});
  const std::string drawn = out.str().substr(1, out.str().find("\x1b[K") - 1);
  EXPECT_LT(drawn.size(), 40);
}

TEST(ProgressTest, AMessageHasALineOfItsOwn) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {.bar = true, .colour = false, .width = 80}, clock, 0, 10, absl::InfiniteDuration());
  clock.Advance(absl::Seconds(1));
  progress.OnStep(1, {});
  progress.OnMessage("disk full");
  EXPECT_THAT(out.str(), EndsWith("\r\x1b[Kdisk full\n"));
}

TEST(ProgressTest, AValidationIsALineOfItsFigures) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {}, clock, 0, 1000, absl::InfiniteDuration());
  progress.OnValidation(250, 0.5, {{"coverage.f1", 0.71234}, {"mia.auc", 0.51}}, true);
  progress.OnValidation(500, 0.25, {}, false);
  EXPECT_EQ(out.str(),
            "validation after step 250: score 0.5, the best so far  coverage.f1 0.7123  mia.auc 0.51\n"
            "validation after step 500: score 0.25\n");
}

TEST(ProgressTest, StepsThatAreRolledBackCountForTheRateOnly) {
  FakeClock clock;
  std::ostringstream out;
  Progress progress(out, {}, clock, 100, 200, absl::InfiniteDuration());
  for (int64_t step = 101; step <= 105; ++step) {
    clock.Advance(absl::Seconds(1));
    progress.OnStep(step, {});
  }
  progress.OnRollBack(105, 90, "the loss is not finite");
  for (int64_t step = 91; step <= 95; ++step) {
    clock.Advance(absl::Seconds(1));
    progress.OnStep(step, {});
  }
  EXPECT_EQ(out.str(),
            "step 105: the loss is not finite; going on from step 90 by another path\n"
            "step 95/200  1.00 steps/s  1 min 45 s left\n");
}

TEST(ProgressTest, DurationsForPeople) {
  EXPECT_EQ(HumanDuration(absl::Seconds(59)), "59 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(125)), "2 min 05 s");
  EXPECT_EQ(HumanDuration(absl::Minutes(130)), "2 h 10 min");
  EXPECT_EQ(HumanDuration(absl::Seconds(-1)), "0 s");
}

}  // namespace
}  // namespace genoserve
