// Labels of the store, policies of the configuration, and what they do to a manager that runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/manager/test_manager.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

class LabelsTest : public ManagerTest {
 protected:
  LabelsTest() {
    for (const uint64_t seed : {1, 2, 3}) PublishTestAcgan(folder_, "model", seed);
  }
  void SetLabel(const char* label, int64_t version) { ASSERT_TRUE(store_->SetLabel("model", label, version).ok()); }
};

TEST_F(LabelsTest, StableDecidesWhatAnswersAndARollbackIsOneLook) {
  SetLabel("stable", 2);
  Look();
  EXPECT_EQ(States(), "3:serving 2:serving*");
  EXPECT_THAT(Status(2).labels, testing::ElementsAre("stable"));
  EXPECT_EQ(Find().value()->version, 2);
  SetLabel("stable", 3);
  manager_->Step();
  EXPECT_EQ(Find().value()->version, 2) << "the store has not been looked at";
  Look();
  EXPECT_EQ(States(), "3:serving*");
  SetLabel("stable", 1);
  Look();
  EXPECT_EQ(States(), "3:serving 1:serving*") << "an older one, because it is asked for";
  ASSERT_TRUE(store_->RemoveLabel("model", "stable").ok());
  Look();
  EXPECT_EQ(States(), "3:serving*");
}

TEST_F(LabelsTest, AStableVersionThatCannotBeLoadedLeavesWhatAnswersAlone) {
  SetLabel("stable", 2);
  Look();
  Corrupt(1, "weights.safetensors");
  SetLabel("stable", 1);
  Look();
  EXPECT_EQ(States(), "3:serving 2:serving* 1:failed");
}

TEST_F(LabelsTest, TheCanaryGetsItsShareOfThoseWhoNameNoVersion) {
  SetLabel("stable", 2);
  SetLabel("canary", 3);
  SetPolicy("canary_percent: 25");
  Look();
  EXPECT_EQ(States(), "3:serving+ 2:serving*");
  int canary = 0;
  for (int i = 0; i < 1000; ++i) {
    const ModelManager::Choice choice = manager_->Find("model", "", "", absl::StrCat("request-", i)).value();
    EXPECT_EQ(choice.handle->version, choice.canary ? 3 : 2);
    EXPECT_EQ(choice.canary, GoesToCanary("model", absl::StrCat("request-", i), 25));
    canary += choice.canary ? 1 : 0;
  }
  EXPECT_NEAR(canary, 250, 60);
  EXPECT_FALSE(manager_->Find("model", "2", "", "request-1")->canary);
  EXPECT_FALSE(manager_->Find("model", "3", "", "request-1")->canary) << "it was named";

  // Promoted.
  SetLabel("stable", 3);
  ASSERT_TRUE(store_->RemoveLabel("model", "canary").ok());
  Look();
  EXPECT_EQ(States(), "3:serving*");
}

TEST_F(LabelsTest, ACanaryThatWasTakenOutOfMemoryComesBackForItsShare) {
  SetLabel("stable", 2);
  SetLabel("canary", 3);
  SetPolicy("canary_percent: 50");
  Look();
  ASSERT_TRUE(manager_->Unload("model", 3).ok());
  Settle();
  EXPECT_EQ(States(), "3:unloaded 2:serving*");
  std::string key;
  std::string other;
  for (int i = 0; key.empty() || other.empty(); ++i) {
    (GoesToCanary("model", absl::StrCat(i), 50) ? key : other) = absl::StrCat(i);
  }
  EXPECT_FALSE(manager_->Find("model", "", "", other)->canary);
  Settle();
  EXPECT_EQ(States(), "3:unloaded 2:serving*") << "nobody asked for it";
  const ModelManager::Choice meanwhile = manager_->Find("model", "", "", key).value();
  EXPECT_EQ(meanwhile.handle->version, 2);
  EXPECT_FALSE(meanwhile.canary);
  Settle();
  EXPECT_EQ(States(), "3:serving+ 2:serving*");
  EXPECT_TRUE(manager_->Find("model", "", "", key)->canary);
}

TEST_F(LabelsTest, APolicyIsTakenOverWhileTheManagerRuns) {
  Look();
  EXPECT_EQ(States(), "3:serving*");
  SetPolicy("policy { latest: 2 }");
  EXPECT_EQ(States(), "3:serving*");
  Settle();
  EXPECT_EQ(States(), "3:serving* 2:serving");
  SetPolicy("policy { specific { versions: 1 } }");
  Settle();
  EXPECT_EQ(States(), "1:serving*");
  SetPolicy("policy { all: true }");
  Settle();
  EXPECT_EQ(States(), "3:serving* 2:serving 1:serving");
  SetPolicy("name: 'other' policy { all: true }");
  Settle();
  EXPECT_EQ(States(), "3:serving*");
}

TEST_F(LabelsTest, AChangeOfTheStoreIsActedOnBeforeItIsAnswered) {
  Look();
  std::vector<absl::Status> told;
  const auto done = [&](const absl::Status& status) {
    told.push_back(status);
    EXPECT_EQ(Status(2).labels.size(), 1);
  };
  PublishTestAcgan(folder_, "model", 4);
  SetPolicy("policy { latest: 3 }");
  Settle();
  manager_->ChangeStore([this] { return store_->SetLabel("model", "stable", 2); }, done);
  manager_->Step();
  ASSERT_EQ(told.size(), 1);
  EXPECT_TRUE(told[0].ok()) << told[0];
  EXPECT_EQ(Find().value()->version, 2);
  manager_->ChangeStore([] { return absl::PermissionDeniedError("read-only"); }, done);
  manager_->Step();
  ASSERT_EQ(told.size(), 2);
  EXPECT_EQ(told[1].code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(LabelsTest, OneModelThatCannotBeReadHidesNoOther) {
  PublishTestAcgan(folder_, "other", 1);
  Look();
  EXPECT_TRUE(manager_->store_state().status.ok());
  store_->unreadable = "model";
  PublishTestAcgan(folder_, "other", 2);
  PublishTestAcgan(folder_, "model", 4);
  Look();
  EXPECT_EQ(States("other"), "2:serving*");
  EXPECT_EQ(States("model"), "3:serving*");
  EXPECT_THAT(std::string(manager_->store_state().status.message()), testing::HasSubstr("model model"));
  EXPECT_EQ(manager_->store_state().last_look, clock_.Now());
  store_->unreadable.clear();
  Look();
  EXPECT_TRUE(manager_->store_state().status.ok());
  EXPECT_EQ(States("model"), "4:serving*");
}

}  // namespace
}  // namespace genoserve
