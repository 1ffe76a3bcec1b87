#include "trainer/loop/training_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "absl/strings/str_format.h"
#include "core/artifact/safetensors.h"
#include "trainer/loop/fake_recipe.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Writes down what it is told.
class Diary final : public TrainingObserver {
 public:
  void OnStep(int64_t step, const Losses& /*losses*/) override { last_step = step; }
  void OnValidation(int64_t step, double score, const ValidationFigures& /*figures*/, bool best) override {
    validations.push_back(absl::StrFormat("%d: %g%s", step, score, best ? " best" : ""));
  }
  void OnCheckpoint(int64_t step, int64_t bytes, absl::Duration took) override {
    checkpoints.push_back(absl::StrFormat("%d: %d bytes in %s", step, bytes, absl::FormatDuration(took)));
  }
  void OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) override {
    roll_backs.push_back(absl::StrFormat("%d to %d: %s", from_step, to_step, std::string(why)));
  }
  void OnMessage(absl::string_view line) override { messages.emplace_back(line); }
  void OnEnd() override { ++ends; }

  int64_t last_step = 0;
  std::vector<std::string> validations;
  std::vector<std::string> checkpoints;
  std::vector<std::string> roll_backs;
  std::vector<std::string> messages;
  int ends = 0;
};

class TrainingLoopTest : public testing::Test {
 protected:
  absl::StatusOr<LoopEnd> Run(FakeRecipe& recipe) {
    if (state_.good.empty()) state_.good = recipe.SaveState().value();
    LoopHooks hooks;
    hooks.should_stop = [&] { return recipe.steps() == stop_at_; };
    if (!fidelity_.empty()) {
      hooks.validate = [this](const TensorMap& weights) { return Validate(weights); };
    }
    hooks.checkpoint = [this]() -> absl::StatusOr<int64_t> {
      clock_.Advance(absl::Milliseconds(10));
      if (!checkpoint_status_.ok()) return checkpoint_status_;
      return 100;
    };
    hooks.observers = {&diary_};
    return TrainingLoop(recipe, state_, options_, hooks, clock_).Run();
  }

  absl::StatusOr<v1::Validation> Validate(const TensorMap& weights) {
    const auto step = static_cast<int64_t>(weights.at("weight").values[0]);
    if (step == interrupt_validation_) return absl::CancelledError("interrupted");
    if (!fidelity_.contains(step)) return absl::ResourceExhaustedError("memory is short");
    v1::Validation validation;
    validation.set_fidelity(fidelity_[step]);
    validation.set_score(fidelity_[step] - broken_[step] - (broken_[step] > 0 ? 1 : 0));
    return validation;
  }

  // The weight that is to be published.
  float Best() const { return ParseSafetensors(state_.best).value().at("weight").values[0]; }

  FakeClock clock_;
  LoopOptions options_;
  RunState state_;
  Diary diary_;
  int64_t stop_at_ = -1;
  int64_t interrupt_validation_ = -1;
  std::map<int64_t, double> fidelity_;  // by step; empty = no hold-out
  std::map<int64_t, int> broken_;       // privacy limits
  absl::Status checkpoint_status_;
};

TEST_F(TrainingLoopTest, EndsWithTheLastStepAndWritesACheckpointEachMinuteAndAtTheEnd) {
  options_.total_steps = 150;
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_EQ(recipe.steps(), 150);
  EXPECT_THAT(diary_.checkpoints,
              ElementsAre("60: 100 bytes in 10ms", "120: 100 bytes in 10ms", "150: 100 bytes in 10ms"));
  EXPECT_EQ(diary_.last_step, 150);
  EXPECT_EQ(diary_.ends, 1);
  EXPECT_DOUBLE_EQ(state_.loop.seconds(), 150.02);
}

TEST_F(TrainingLoopTest, TheTimeLimitIsThatOfTheWholeRunWithItsEarlierParts) {
  options_.total_steps = 150;
  options_.max_time = absl::Seconds(20);
  state_.loop.set_seconds(15);
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kOutOfTime);
  EXPECT_EQ(recipe.steps(), 5);
}

TEST_F(TrainingLoopTest, AnInterruptWritesACheckpointAndStops) {
  options_.total_steps = 150;
  stop_at_ = 7;
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kInterrupted);
  EXPECT_EQ(recipe.steps(), 7);
  EXPECT_THAT(diary_.checkpoints, ElementsAre("7: 100 bytes in 10ms"));
}

TEST_F(TrainingLoopTest, AFailedCheckpointIsToldAndEndsOnlyAnInterruptedRun) {
  options_.total_steps = 70;
  checkpoint_status_ = absl::ResourceExhaustedError("disk full");
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.messages, ElementsAre("cannot write a checkpoint, going on without: disk full",
                                           "cannot write a checkpoint of the whole training: disk full"));
  options_.total_steps = 100;
  stop_at_ = 80;
  EXPECT_TRUE(absl::IsResourceExhausted(Run(recipe).status()));
}

TEST_F(TrainingLoopTest, ValidatesAtEvenSpacesAndKeepsTheBest) {
  options_.total_steps = 10;
  options_.validations = 4;
  fidelity_ = {{3, 0.6}, {5, 0.8}, {8, 0.7}, {10, 0.75}};
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.validations, ElementsAre("3: 0.6 best", "5: 0.8 best", "8: 0.7", "10: 0.75"));
  EXPECT_EQ(Best(), 5);
  EXPECT_EQ(state_.loop.best_step(), 5);
  EXPECT_EQ(state_.loop.validations_size(), 4);
  EXPECT_EQ(state_.good, "10 0");
}

TEST_F(TrainingLoopTest, PrivacyIsNotTradedForFidelity) {
  options_.total_steps = 3;
  options_.validations = 3;
  fidelity_ = {{1, 0.99}, {2, 0.5}, {3, 0.98}};
  broken_ = {{1, 1}, {3, 2}};
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_EQ(Best(), 2);
}

TEST_F(TrainingLoopTest, EndsEarlyOnceNoValidationIsBetterForLong) {
  options_.total_steps = 100;
  options_.validations = 10;
  options_.patience = 2;
  fidelity_ = {{10, 0.6}, {20, 0.8}, {30, 0.7}, {40, 0.7}};
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kStoppedEarly);
  EXPECT_EQ(recipe.steps(), 40);
  EXPECT_EQ(Best(), 20);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kStoppedEarly) << "resumed, it is as much at its end";
  EXPECT_EQ(recipe.steps(), 40);
}

TEST_F(TrainingLoopTest, WhatIsThereWhenTimeIsOverIsValidated) {
  options_.total_steps = 100;
  options_.validations = 2;
  options_.max_time = absl::Seconds(20);
  fidelity_ = {{20, 0.6}};
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kOutOfTime);
  EXPECT_THAT(diary_.validations, ElementsAre("20: 0.6 best"));
}

TEST_F(TrainingLoopTest, AValidationThatCannotBeMadeIsTold) {
  options_.total_steps = 10;
  options_.validations = 2;
  fidelity_ = {{10, 0.6}};
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.messages, Contains("cannot validate after step 5, going on without: memory is short"));
  EXPECT_EQ(Best(), 10);
}

TEST_F(TrainingLoopTest, AnInterruptedValidationIsMadeAnewWhenResumed) {
  options_.total_steps = 10;
  options_.validations = 2;
  fidelity_ = {{5, 0.7}, {10, 0.6}};
  interrupt_validation_ = 5;
  FakeRecipe recipe(clock_);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kInterrupted);
  EXPECT_THAT(diary_.checkpoints, ElementsAre("5: 100 bytes in 10ms"));
  interrupt_validation_ = -1;
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.validations, ElementsAre("5: 0.7 best", "10: 0.6"));
}

TEST_F(TrainingLoopTest, GoesBackFromALossThatIsNotFinite) {
  options_.total_steps = 40;
  options_.validations = 4;
  FakeRecipe recipe(clock_, [](int64_t step, int attempt) {
    return step == 25 && attempt < 2 ? absl::InternalError("the critic loss is not finite") : absl::OkStatus();
  });
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.roll_backs,
              ElementsAre("25 to 20: the critic loss is not finite", "25 to 20: the critic loss is not finite"));
  EXPECT_EQ(recipe.attempt(), 2) << "what follows goes by the rates of the last attempt";
  EXPECT_EQ(state_.loop.roll_backs(), 2);
  EXPECT_EQ(state_.good, "40 2");
}

TEST_F(TrainingLoopTest, GoesBackFromACollapse) {
  options_.total_steps = 30;
  options_.validations = 3;
  fidelity_ = {{10, 0.8}, {20, 0.39}, {30, 0.8}};
  FakeRecipe recipe(clock_);
  recipe.Recover(0);
  int asked = 0;
  stop_at_ = -1;
  // The second time it is well.
  LoopHooks hooks;
  hooks.validate = [&](const TensorMap& weights) {
    if (weights.at("weight").values[0] == 20 && asked++ > 0) fidelity_[20] = 0.9;
    return Validate(weights);
  };
  hooks.observers = {&diary_};
  state_.good = recipe.SaveState().value();
  EXPECT_EQ(TrainingLoop(recipe, state_, options_, hooks, clock_).Run().value(), LoopEnd::kFinished);
  EXPECT_THAT(
      diary_.roll_backs,
      ElementsAre("20 to 10: the generator has collapsed: its fidelity is 0.390, that after step 10 was 0.800"));
  EXPECT_THAT(diary_.validations, ElementsAre("10: 0.8 best", "20: 0.39", "20: 0.9 best", "30: 0.8"));
  EXPECT_EQ(state_.loop.validations_size(), 3) << "the collapsed one does not count";
}

TEST_F(TrainingLoopTest, ARunThatDivergesAgainAndAgainEndsWithItsBest) {
  options_.total_steps = 30;
  options_.validations = 3;
  fidelity_ = {{10, 0.8}};
  const auto fault = [](int64_t step, int /*attempt*/) {
    return step == 15 ? absl::InternalError("the loss is not finite") : absl::OkStatus();
  };
  FakeRecipe recipe(clock_, fault);
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kDiverged);
  EXPECT_EQ(diary_.roll_backs.size(), kMostRollBacks);
  EXPECT_EQ(Best(), 10);
  EXPECT_THAT(diary_.messages, Contains(AllOf(HasSubstr("diverged at step 15: the loss is not finite, again after"),
                                              HasSubstr("ends with its best validation"))));
  EXPECT_EQ(diary_.ends, 1);
}

TEST_F(TrainingLoopTest, ARunThatDivergesWithoutABestIsAnError) {
  options_.total_steps = 30;
  options_.validations = 3;
  FakeRecipe recipe(clock_, [](int64_t /*step*/, int /*attempt*/) { return absl::InternalError("not finite"); });
  const absl::Status status = Run(recipe).status();
  EXPECT_TRUE(absl::IsInternal(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("diverged at step 1: not finite, again after going back 3 times"),
                    HasSubstr("smaller learning rates may help")));
  EXPECT_THAT(diary_.checkpoints, IsEmpty());
}

TEST_F(TrainingLoopTest, RollBacksAreCountedOverResumes) {
  options_.total_steps = 30;
  options_.validations = 3;
  state_.loop.set_roll_backs(kMostRollBacks);
  FakeRecipe recipe(clock_, [](int64_t /*step*/, int /*attempt*/) { return absl::InternalError("not finite"); });
  EXPECT_TRUE(absl::IsInternal(Run(recipe).status()));
  EXPECT_THAT(diary_.roll_backs, IsEmpty());
}

TEST_F(TrainingLoopTest, ErrorsThatAreNoDivergenceAreNamedWithTheirStep) {
  options_.total_steps = 30;
  FakeRecipe recipe(clock_, [](int64_t step, int /*attempt*/) {
    return step == 13 ? absl::ResourceExhaustedError("memory is short") : absl::OkStatus();
  });
  const absl::Status status = Run(recipe).status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("memory is short"));
  EXPECT_EQ(diary_.ends, 1);
}

TEST_F(TrainingLoopTest, ARestoredRunDoesOnlyTheRest) {
  options_.total_steps = 50;
  FakeRecipe recipe(clock_);
  ASSERT_TRUE(recipe.RestoreState("45 0").ok());
  EXPECT_EQ(Run(recipe).value(), LoopEnd::kFinished);
  EXPECT_EQ(state_.loop.seconds(), 5);
}

TEST_F(TrainingLoopTest, OneProcessDivergesAndAllGoBack) {
  options_.total_steps = 4;
  FakeRecipe recipe(clock_);
  state_.good = recipe.SaveState().value();
  LoopHooks hooks;
  // Another process diverges at step 2, once.
  bool diverged = false;
  hooks.agree = [&](int mine) {
    if (recipe.steps() != 2 || diverged) return mine;
    diverged = true;
    return 4;
  };
  hooks.observers = {&diary_};
  EXPECT_EQ(TrainingLoop(recipe, state_, options_, hooks, clock_).Run().value(), LoopEnd::kFinished);
  EXPECT_THAT(diary_.roll_backs, ElementsAre("2 to 0: another process diverged"));
}

}  // namespace
}  // namespace genoserve
