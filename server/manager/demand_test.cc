// Versions that somebody asks for: requests by number and digest, and those who run the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "server/manager/background_thread.h"
#include "server/manager/test_manager.h"
#include "server/rpc_error.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DemandTest : public ManagerTest {
 protected:
  DemandTest() {
    for (const uint64_t seed : {1, 2}) PublishTestAcgan(folder_, "model", seed);
    Look();
  }
};

TEST_F(DemandTest, AnOldVersionIsLoadedWhenARequestNamesItAndUnloadedWhenNobodyUsesIt) {
  EXPECT_EQ(States(), "2:serving*");
  const absl::Status waiting = Find("1").status();
  EXPECT_TRUE(absl::IsUnavailable(waiting)) << waiting;
  EXPECT_TRUE(IsRetryLater(waiting));
  EXPECT_EQ(States(), "2:serving* 1:loading");
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:serving");
  EXPECT_EQ(Find().value()->version, 2);

  // A stream that runs is use, however long ago it began.
  ModelHandle stream = Find("1").value();
  clock_.Advance(absl::Hours(1));
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:serving");
  stream.reset();
  clock_.Advance(kOnDemandIdle - absl::Seconds(1));
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:serving");
  clock_.Advance(absl::Seconds(1));
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:unloaded");
  EXPECT_EQ(manager_->held().versions, 1);

  EXPECT_TRUE(IsRetryLater(Find("1").status()));
  Settle();
  EXPECT_EQ(Find("1").value()->version, 1);
}

TEST_F(DemandTest, AVersionIsFoundByADigestThatWasNeverLoaded) {
  const std::string digest = ManifestDigest(*store_, "model", 1).value();
  EXPECT_TRUE(IsRetryLater(Find("", digest).status()));
  Settle();
  EXPECT_TRUE(IsRetryLater(Find("", digest).status())) << "found, and now being loaded";
  Settle();
  EXPECT_EQ(Find("", digest).value()->digest, digest);
  // One that no version has: the caller is told by the digest of what answers.
  EXPECT_EQ(Find("", std::string(64, 'a')).value()->version, 2);
}

TEST_F(DemandTest, WhatIsNotThereIsNotWaitedFor) {
  const absl::Status version = Find("7").status();
  EXPECT_TRUE(absl::IsNotFound(version)) << version;
  EXPECT_THAT(std::string(version.message()), HasSubstr("there are 1, 2, served are 2"));
  const absl::Status model = Find("", "", "missing").status();
  EXPECT_TRUE(absl::IsNotFound(model)) << model;
  EXPECT_THAT(std::string(model.message()), HasSubstr("there are model"));
  EXPECT_EQ(Find("0").status().code(), absl::StatusCode::kInvalidArgument);
  SetPolicy("policy { specific { versions: 9 } }");
  manager_->Step();
  EXPECT_EQ(States(), "2:serving*") << "nothing replaces it";
  Restart(settings_);
  Look();
  const absl::Status unwanted = Find().status();
  EXPECT_EQ(unwanted.code(), absl::StatusCode::kFailedPrecondition) << unwanted;
  EXPECT_THAT(std::string(unwanted.message()), HasSubstr("policy wants none"));
}

TEST_F(DemandTest, AFailureIsToldToThoseWhoAsk) {
  Corrupt(1, "weights.safetensors");
  EXPECT_TRUE(IsRetryLater(Find("1").status()));
  Settle();
  const absl::Status status = Find("1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("weights.safetensors"));
  EXPECT_TRUE(Status(1).quarantined);
  EXPECT_EQ(Status(1).attempts, 1);

  // Mended in its place, which its digest does not tell.
  Corrupt(1, "weights.safetensors");
  Look();
  EXPECT_TRUE(Status(1).quarantined);
  EXPECT_TRUE(absl::IsNotFound(manager_->Retry("model", 7)));
  EXPECT_EQ(manager_->Retry("model", 2).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(manager_->Retry("model", 1).ok());
  EXPECT_EQ(Status(1).state, v1::MODEL_STATE_LOADING);
  EXPECT_FALSE(Status(1).quarantined);
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:serving");
}

TEST_F(DemandTest, APinnedVersionStaysLoaded) {
  EXPECT_TRUE(absl::IsNotFound(manager_->Pin("model", 7, true)));
  ASSERT_TRUE(manager_->Pin("model", 1, true).ok());
  EXPECT_TRUE(Status(1).pinned);
  EXPECT_EQ(Status(1).state, v1::MODEL_STATE_LOADING);
  Settle();
  clock_.Advance(absl::Hours(24));
  Settle();
  EXPECT_EQ(States(), "2:serving* 1:serving");
  const auto refused = manager_->Unload("model", 1);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << refused.status();
  EXPECT_EQ(manager_->Unload("model", 0).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(States(), "2:serving* 1:serving") << "all or nothing";
  ASSERT_TRUE(manager_->Pin("model", 1, false).ok());
  Settle();
  EXPECT_EQ(States(), "2:serving*");
}

TEST_F(DemandTest, AnUnloadedModelComesBackWhenARequestAsksForIt) {
  ModelHandle stream = Find().value();
  EXPECT_THAT(manager_->Unload("model", 0).value(), ElementsAre(2));
  EXPECT_EQ(States(), "2:draining");
  Look();
  EXPECT_EQ(States(), "2:draining") << "its stream runs on";
  stream.reset();
  Look();
  EXPECT_EQ(States(), "2:unloaded") << "and nothing but a request brings it back";
  EXPECT_EQ(manager_->held().versions, 0);
  EXPECT_EQ(manager_->memory_bytes(), 0);
  EXPECT_THAT(manager_->Unload("model", 0).value(), IsEmpty());
  EXPECT_TRUE(IsRetryLater(Find().status()));
  Settle();
  EXPECT_EQ(Find().value()->version, 2);
  EXPECT_TRUE(absl::IsNotFound(manager_->Unload("model", 7).status()));
  EXPECT_TRUE(absl::IsNotFound(manager_->Unload("missing", 0).status()));
}

TEST_F(DemandTest, ANewVersionReplacesAnUnloadedOne) {
  ASSERT_TRUE(manager_->Unload("model", 0).ok());
  PublishTestAcgan(folder_, "model", 3);
  Look();
  EXPECT_EQ(States(), "3:serving* 2:unloaded");
}

TEST_F(DemandTest, ALoadThatTakesLongKeepsNobodyWaiting) {
  absl::Notification reading;
  absl::Notification go_on;
  store_->on_reading_weights = [&] {
    if (!reading.HasBeenNotified()) reading.Notify();
    go_on.WaitForNotification();
  };
  BackgroundThread loader;
  ModelManager::Options options = TestOptions();
  options.executor = [&loader](std::function<void()> task) { loader.Post(std::move(task)); };
  {
    // What serves, loaded before the store became slow.
    manager_ = std::make_unique<ModelManager>(*store_, metrics_, std::move(options));
    std::function<void()> slow;
    slow.swap(store_->on_reading_weights);
    manager_->Step();
    ASSERT_TRUE(manager_->WaitUntil([](const auto& versions) { return !versions.empty() && versions[0].is_default; },
                                    absl::Seconds(60)));
    store_->on_reading_weights = slow;
  }
  PublishTestAcgan(folder_, "model", 3);
  std::vector<absl::Status> told;
  Ask(told);
  manager_->Step();
  reading.WaitForNotification();
  EXPECT_EQ(Find().value()->version, 2);
  EXPECT_EQ(States(), "3:loading 2:serving*");
  EXPECT_TRUE(IsRetryLater(Find("1").status()));
  EXPECT_TRUE(IsRetryLater(Find("3").status()));
  ASSERT_TRUE(manager_->Pin("model", 1, true).ok());
  Ask(told);
  manager_->Step();
  EXPECT_EQ(told.size(), 2);
  go_on.Notify();
  EXPECT_TRUE(manager_->WaitUntil([](const auto& versions) { return versions[0].is_default; }, absl::Seconds(60)));
  EXPECT_EQ(Find().value()->version, 3);
  manager_.reset();
}

}  // namespace
}  // namespace genoserve
