#include "trainer/loop/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "trainer/loop/fake_recipe.h"
#include "trainer/loop/interrupt.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TrainingLoopTest : public testing::Test {
 protected:
  absl::StatusOr<LoopEnd> Run(FakeRecipe& recipe) {
    Progress progress(out_, {}, clock_, recipe.steps(), options_.total_steps, options_.max_time);
    return RunTrainingLoop(
        recipe, options_, clock_, [&] { return recipe.steps() == stop_at_; },
        [&] {
          checkpoints_.push_back(recipe.steps());
          return checkpoint_status_;
        },
        progress);
  }

  FakeClock clock_;
  LoopOptions options_;
  std::ostringstream out_;
  int64_t stop_at_ = -1;
  absl::Status checkpoint_status_;
  std::vector<int64_t> checkpoints_;
};

TEST_F(TrainingLoopTest, EndsWithTheLastStepAndWritesACheckpointEachMinute) {
  options_.total_steps = 150;
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_EQ(recipe.steps(), 150);
  EXPECT_THAT(checkpoints_, ElementsAre(60, 120));
}

TEST_F(TrainingLoopTest, EndsWhenTimeIsOver) {
  options_.total_steps = 150;
  options_.max_time = absl::Seconds(20);
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kOutOfTime);
  EXPECT_EQ(recipe.steps(), 20);
}

TEST_F(TrainingLoopTest, AnInterruptWritesACheckpointAndStops) {
  options_.total_steps = 150;
  stop_at_ = 7;
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kInterrupted);
  EXPECT_EQ(recipe.steps(), 7);
  EXPECT_THAT(checkpoints_, ElementsAre(7));
}

TEST_F(TrainingLoopTest, AFailedCheckpointIsToldAndEndsOnlyAnInterruptedRun) {
  options_.total_steps = 70;
  checkpoint_status_ = absl::ResourceExhaustedError("disk full");
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(out_.str(), HasSubstr("cannot write a checkpoint, going on without: disk full"));
  options_.total_steps = 100;
  stop_at_ = 80;
  EXPECT_TRUE(absl::IsResourceExhausted(Run(recipe).status()));
}

TEST_F(TrainingLoopTest, ARestoredRunDoesOnlyTheRest) {
  options_.total_steps = 50;
  FakeRecipe recipe(clock_);
  ASSERT_TRUE(recipe.RestoreState("45").ok());
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_EQ(clock_.Now(), absl::UnixEpoch() + absl::Seconds(5));
  EXPECT_THAT(checkpoints_, IsEmpty());
}

TEST_F(TrainingLoopTest, AFailedStepIsNamed) {
  options_.total_steps = 50;
  FakeRecipe recipe(clock_, 13);
  EXPECT_THAT(std::string(Run(recipe).status().message()), HasSubstr("step 13: the loss is not finite"));
}

TEST(InterruptDeathTest, TheFirstSignalAsksAndTheSecondEnds) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        CatchInterrupts();
        if (Interrupted()) ::_exit(1);
        std::raise(SIGTERM);
        if (!Interrupted()) ::_exit(2);
        std::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace genoserve
