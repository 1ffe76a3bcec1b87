#include "server/manager/model_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/quality/gate.h"
#include "server/manager/test_manager.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

using ModelManagerTest = ManagerTest;

TEST_F(ModelManagerTest, ANewVersionReplacesTheOldOneWhichIsFreedWhenNobodyHoldsIt) {
  PublishTestAcgan(folder_, "model", 1);
  Look();
  EXPECT_EQ(States(), "1:serving*");
  ModelHandle held = Find().value();
  PublishTestAcgan(folder_, "model", 2);
  Look();
  EXPECT_EQ(States(), "2:serving* 1:draining");
  EXPECT_EQ(Find().value()->version, 2);
  EXPECT_EQ(Find("1").value(), held);
  EXPECT_EQ(Find("", held->digest).value(), held);

  // Another thread lets go; the step frees.
  std::thread([&held] { held.reset(); }).join();
  manager_->Step();
  EXPECT_EQ(States(), "2:serving*");
  EXPECT_EQ(manager_->held().versions, 1);
}

TEST_F(ModelManagerTest, TheStoreIsLookedAtWhenItIsTime) {
  Look();
  PublishTestAcgan(folder_, "model", 1);
  manager_->Step();
  EXPECT_EQ(States(), "");
  clock_.Advance(absl::Seconds(2));
  manager_->Step();
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(ModelManagerTest, TheStoreIsLookedAtWhenSomebodyAsks) {
  Look();
  PublishTestAcgan(folder_, "model", 1);
  std::vector<absl::Status> told;
  Ask(told);
  Ask(told);
  EXPECT_TRUE(told.empty()) << "before the look";
  manager_->Step();
  ASSERT_EQ(told.size(), 2);
  EXPECT_TRUE(told[0].ok() && told[1].ok());
  EXPECT_EQ(States(), "1:serving*");
  manager_->Step();
  EXPECT_EQ(told.size(), 2) << "each is told once";

  FileSystem::Posix().Remove(folder_).IgnoreError();
  Ask(told);
  manager_->Step();
  ASSERT_EQ(told.size(), 3);
  EXPECT_TRUE(absl::IsUnavailable(told[2])) << told[2];
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(ModelManagerTest, BeforeTheStoreWasReadNobodyIsToldThatThereIsNoModel) {
  PublishTestAcgan(folder_, "model", 1);
  const absl::Status early = manager_->Find("model", "", "", "").status();
  EXPECT_TRUE(absl::IsUnavailable(early)) << early;
  EXPECT_THAT(std::string(early.message()), HasSubstr("could not be read yet"));
  Look();
  EXPECT_TRUE(manager_->Find("model", "", "", "").ok());
  EXPECT_TRUE(absl::IsNotFound(manager_->Find("other", "", "", "").status()));
}

TEST_F(ModelManagerTest, VersionsOnDemandAreBounded) {
  for (uint64_t version = 1; version <= 18; ++version) PublishTestAcgan(folder_, "model", version);
  Look();
  int taken = 0;
  for (int version = 1; version < 18; ++version) {
    const absl::Status status = manager_->Find("model", std::to_string(version), "", "").status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    taken += std::string(status.message()).find("is being loaded") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(taken, 16);
}

TEST_F(ModelManagerTest, WhoAsksForALookThatDoesNotComeIsToldSo) {
  std::vector<absl::Status> told;
  for (int i = 0; i < 256; ++i) Ask(told);
  EXPECT_TRUE(told.empty());
  Ask(told);
  ASSERT_EQ(told.size(), 1);
  EXPECT_TRUE(absl::IsResourceExhausted(told[0])) << told[0];
  manager_->Stop();
  ASSERT_EQ(told.size(), 257) << "also those who wait when it ends";
  EXPECT_TRUE(absl::IsUnavailable(told[256])) << told[256];
  Ask(told);
  ASSERT_EQ(told.size(), 258);
  EXPECT_TRUE(absl::IsUnavailable(told[257])) << told[257];
}

TEST_F(ModelManagerTest, ABadDigestIsQuarantinedUntilTheManifestChanges) {
  PublishTestAcgan(folder_, "model", 1);
  PublishTestAcgan(folder_, "model", 2);
  Corrupt(2, "weights.safetensors");
  Look();
  EXPECT_EQ(States(), "2:failed 1:serving*");
  EXPECT_THAT(manager_->List()[0].reason, HasSubstr("weights.safetensors"));
  EXPECT_EQ(manager_->List()[0].digest.size(), 64);
  // Time and repaired weights change nothing: the digest was found bad.
  Corrupt(2, "weights.safetensors");
  clock_.Advance(absl::Hours(24));
  Look();
  EXPECT_EQ(States(), "2:failed 1:serving*");
  // Another manifest of the same content, with a space at its end.
  const std::string manifest = FileSystem::Posix().ReadFile(Path(2, "manifest.json"), 1 << 20).value();
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path(2, "manifest.json"), manifest + "\n").ok());
  Look();
  EXPECT_EQ(States(), "2:serving*");
}

TEST_F(ModelManagerTest, AnErrorThatMayPassIsTriedAgainWithBackoff) {
  PublishTestAcgan(folder_, "model", 1);
  store_->failures = 1;
  clock_.Advance(absl::Seconds(2));
  manager_->Step();
  EXPECT_EQ(States(), "1:failed");
  const absl::Status status = Find().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the disk is slow"));
  manager_->Step();
  EXPECT_EQ(States(), "1:failed");
  clock_.Advance(RetryDelay(1));
  manager_->Step();
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(ModelManagerTest, AVanishedStoreOrModelKeepsServing) {
  PublishTestAcgan(folder_, "model", 1);
  Look();
  ASSERT_TRUE(FileSystem::Posix().Rename(folder_, folder_ + ".away").ok());
  Look();
  EXPECT_EQ(States(), "1:serving*");
  ASSERT_TRUE(FileSystem::Posix().Rename(folder_ + ".away", folder_).ok());
  ASSERT_TRUE(FileSystem::Posix().Remove(JoinPath(folder_, "model")).ok());
  Look();
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(ModelManagerTest, DeletingTheNewestVersionBringsTheOneBeforeBack) {
  PublishTestAcgan(folder_, "model", 1);
  PublishTestAcgan(folder_, "model", 2);
  Look();
  EXPECT_EQ(States(), "2:serving*");
  ASSERT_TRUE(FileSystem::Posix().Remove(JoinPath(folder_, "model/2")).ok());
  Look();
  EXPECT_EQ(States(), "1:serving*");
}

TEST_F(ModelManagerTest, ADrainingVersionComesBackWithoutALoad) {
  PublishTestAcgan(folder_, "model", 1);
  Look();
  const ModelHandle held = Find().value();
  PublishTestAcgan(folder_, "model", 2);
  Look();
  ASSERT_TRUE(FileSystem::Posix().Remove(JoinPath(folder_, "model/2")).ok());
  Look();
  EXPECT_EQ(States(), "1:serving*");
  EXPECT_EQ(Find().value(), held);
}

v1::Figure FrequencyFigure(double value) {
  v1::Figure figure;
  figure.set_name("af.pearson");
  figure.set_value(value);
  return figure;
}

TEST_F(ModelManagerTest, AVersionThatBreaksTheGateIsQuarantined) {
  Configure([](ManagerSettings& settings) {
    settings.gate = VersionGate{"strict.gate", ParseGate("limits { figure: 'af.pearson' minimum: 0.95 }").value()};
  });
  PublishTestAcgan(folder_, "model", 1, 100, {FrequencyFigure(0.97)});
  Look();
  EXPECT_EQ(States(), "1:serving*");
  PublishTestAcgan(folder_, "model", 2, 100, {FrequencyFigure(0.94)});
  PublishTestAcgan(folder_, "model", 3);
  Look();
  EXPECT_EQ(States(), "3:failed 2:failed 1:serving*");
  const std::vector<VersionStatus> statuses = manager_->List();
  EXPECT_THAT(statuses[0].reason, HasSubstr("no figures of quality were measured"));
  EXPECT_THAT(statuses[1].reason,
              testing::AllOf(HasSubstr("strict.gate"), HasSubstr("is 0.94"), HasSubstr("must be at least 0.95")));
}

TEST_F(ModelManagerTest, ReadyOnceEveryModelOfTheFirstLookHasBeenTried) {
  PublishTestAcgan(folder_, "a", 1);
  PublishTestWganGp(folder_, "model", 1);
  Corrupt(1, "weights.safetensors");
  EXPECT_FALSE(manager_->Ready());
  clock_.Advance(absl::Seconds(2));
  manager_->Step();
  EXPECT_FALSE(manager_->Ready());
  manager_->Step();
  EXPECT_TRUE(manager_->Ready());
}

TEST_F(ModelManagerTest, AnEmptyStoreIsReadyButOneWithoutAGoodModelIsNot) {
  PublishTestAcgan(folder_, "model", 1);
  Corrupt(1, "weights.safetensors");
  Look();
  EXPECT_FALSE(manager_->Ready());
  const std::string empty = NewTestFolder();
  const auto store = *OpenStore(empty, /*create=*/true);
  ModelManager::Options options;
  options.executor = [](const std::function<void()>& task) { task(); };
  ModelManager other(*store, metrics_, options);
  EXPECT_FALSE(other.Ready());
  other.Step();
  EXPECT_TRUE(other.Ready());
  FileSystem::Posix().Remove(empty).IgnoreError();
}

TEST_F(ModelManagerTest, HandlesOutliveTheManager) {
  PublishTestAcgan(folder_, "model", 1);
  Look();
  const ModelHandle held = Find().value();
  manager_.reset();
  EXPECT_EQ(held->variants.size(), 100);
}

}  // namespace
}  // namespace genoserve
