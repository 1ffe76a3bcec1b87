// A memory budget: what is loaded beside what, what gives its room, and what does not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/artifact/artifact.h"
#include "server/manager/memory_use.h"
#include "server/manager/test_manager.h"
#include "server/rpc_error.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

// Versions of one size. What one takes is told differently before it is loaded and while it is.
class BudgetTest : public ManagerTest {
 protected:
  static constexpr int64_t kVariants = 2000;

  BudgetTest() {
    PublishTestAcgan(folder_, "model", 1, kVariants);
    Look();
    measured_ = Status(1).memory_bytes;
    std::string digest;
    estimate_ = EstimateMemory(ReadManifest(*store_, "model", 1, &digest).value());
    EXPECT_EQ(manager_->memory_bytes(), measured_);
    EXPECT_GE(measured_, estimate_ / 2);
    EXPECT_LE(measured_, estimate_ * 2);
  }
  int64_t most() const { return std::max(measured_, estimate_); }
  // A manager with a budget that takes one version, or two, and not one more.
  void RestartWithRoomFor(int versions) {
    ManagerSettings settings;
    settings.memory_budget = versions == 1 ? most() : most() + std::max(measured_, estimate_);
    settings.memory_budget += std::min(measured_, estimate_) / 4;
    Restart(settings);
    Look();
  }
  absl::StatusOr<ModelHandle> FindModel(const std::string& model) const { return Find("", "", model); }

  int64_t measured_ = 0;
  int64_t estimate_ = 0;
};

TEST_F(BudgetTest, WithRoomForTwoTheNewVersionIsLoadedBesideTheOld) {
  RestartWithRoomFor(2);
  const ModelHandle stream = Find().value();
  PublishTestAcgan(folder_, "model", 2, kVariants);
  Look();
  EXPECT_EQ(States(), "2:serving* 1:draining");
}

TEST_F(BudgetTest, WithRoomForOneTheOldVersionGivesItsRoomWhenItsStreamsHaveEnded) {
  RestartWithRoomFor(1);
  ModelHandle stream = Find().value();
  PublishTestAcgan(folder_, "model", 2, kVariants);
  Look();
  EXPECT_EQ(States(), "1:draining");
  EXPECT_TRUE(IsRetryLater(Find().status())) << Find().status();
  EXPECT_TRUE(IsRetryLater(Find("1").status())) << "it takes no new streams";
  EXPECT_LE(manager_->memory_bytes(), settings_.memory_budget);
  stream.reset();
  Settle();
  EXPECT_EQ(States(), "2:serving*");
  EXPECT_LE(manager_->memory_bytes(), settings_.memory_budget);
}

TEST_F(BudgetTest, WhatServesIsNotGivenUpForAVersionThatIsNotWhole) {
  RestartWithRoomFor(1);
  const ModelHandle stream = Find().value();
  PublishTestAcgan(folder_, "model", 2, kVariants);
  Corrupt(2, "weights.safetensors");
  Look();
  EXPECT_EQ(States(), "2:failed 1:serving*");
  EXPECT_TRUE(Status(2).quarantined);
  // One that cannot be read now: likewise, until it can.
  PublishTestAcgan(folder_, "model", 3, kVariants);
  store_->failures = 1;
  Look();
  EXPECT_EQ(Status(1).is_default, true);
  EXPECT_EQ(Status(3).state, v1::MODEL_STATE_FAILED);
  clock_.Advance(RetryDelay(1));
  Settle();
  EXPECT_EQ(States(), "2:failed 1:draining");
}

TEST_F(BudgetTest, ModelsTakeTurnsTheLeastRecentlyUsedGivesItsRoom) {
  PublishTestAcgan(folder_, "b", 1, kVariants);
  PublishTestAcgan(folder_, "c", 1, kVariants);
  RestartWithRoomFor(2);
  // Nobody has asked for the third.
  EXPECT_EQ(States("b"), "1:serving*");
  EXPECT_EQ(States("c"), "1:serving*");
  EXPECT_EQ(States("model"), "1:unloaded");
  EXPECT_THAT(Status(1).reason, HasSubstr("of the memory budget of"));
  EXPECT_TRUE(manager_->Ready());

  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(FindModel("c").ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(FindModel("b").ok());
  EXPECT_TRUE(IsRetryLater(FindModel("model").status()));
  Settle();
  EXPECT_EQ(States("c"), "1:unloaded");
  EXPECT_EQ(States("model"), "1:serving*");

  // One that is held gives nothing, one that is not does.
  const ModelHandle stream = FindModel("b").value();
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(FindModel("model").ok());
  EXPECT_TRUE(IsRetryLater(FindModel("c").status()));
  Settle();
  EXPECT_EQ(States("b"), "1:serving*");
  EXPECT_EQ(States("model"), "1:unloaded");
  EXPECT_EQ(States("c"), "1:serving*");
  EXPECT_LE(manager_->memory_bytes(), settings_.memory_budget);
}

TEST_F(BudgetTest, WhenAllIsInUseARequestIsToldWhatItWaitsFor) {
  PublishTestAcgan(folder_, "b", 1, kVariants);
  RestartWithRoomFor(1);
  ModelHandle stream = FindModel("b").value();
  EXPECT_TRUE(IsRetryLater(FindModel("model").status()));
  Settle();
  const absl::Status waiting = FindModel("model").status();
  EXPECT_TRUE(IsRetryLater(waiting));
  EXPECT_THAT(std::string(waiting.message()), HasSubstr("waits for"));
  stream.reset();
  Settle();
  EXPECT_TRUE(FindModel("model").ok());
  EXPECT_EQ(States("b"), "1:unloaded");
}

TEST_F(BudgetTest, APinnedModelGivesNoRoom) {
  PublishTestAcgan(folder_, "b", 1, kVariants);
  RestartWithRoomFor(1);
  ASSERT_TRUE(manager_->Pin("b", 1, true).ok());
  EXPECT_TRUE(IsRetryLater(FindModel("model").status()));
  Settle();
  EXPECT_EQ(States("b"), "1:serving*");
  ASSERT_TRUE(manager_->Pin("b", 1, false).ok());
  Settle();
  EXPECT_EQ(States("b"), "1:unloaded");
  EXPECT_EQ(States("model"), "1:serving*");
}

TEST_F(BudgetTest, AVersionThatNeverFitsIsToldSoUntilTheBudgetChanges) {
  ManagerSettings settings;
  settings.memory_budget = estimate_ - 1;
  Restart(settings);
  Look();
  EXPECT_EQ(States(), "1:failed");
  EXPECT_FALSE(Status(1).quarantined);
  EXPECT_EQ(Status(1).reason,
            absl::StrCat("needs ", estimate_, " bytes of memory; the memory budget is ", estimate_ - 1, " bytes"));
  EXPECT_EQ(Find().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(manager_->Ready());
  Configure([this](ManagerSettings& changed) { changed.memory_budget = most(); });
  Settle();
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(BudgetTest, ABudgetThatIsLoweredParksWhatNobodyUses) {
  PublishTestAcgan(folder_, "b", 1, kVariants);
  RestartWithRoomFor(2);
  clock_.Advance(absl::Seconds(1));
  ModelHandle stream = FindModel("b").value();
  Configure([this](ManagerSettings& changed) { changed.memory_budget = most() / 2; });
  Settle();
  EXPECT_EQ(States("model"), "1:unloaded");
  EXPECT_EQ(States("b"), "1:serving*") << "it is in use";
  stream.reset();
  Settle();
  EXPECT_EQ(States("b"), "1:unloaded");
  EXPECT_EQ(manager_->memory_bytes(), 0);
  Configure([](ManagerSettings& changed) { changed.memory_budget = 0; });
  EXPECT_TRUE(IsRetryLater(FindModel("b").status()));
  Settle();
  EXPECT_EQ(States("b"), "1:serving*");
}

}  // namespace
}  // namespace genoserve
