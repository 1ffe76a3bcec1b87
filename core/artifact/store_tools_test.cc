#include "core/artifact/store_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/artifact/store_labels.h"
#include "core/artifact/test_artifact.h"
#include "core/base/file.h"
#include "core/store/forwarding_store.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kModel[] = "five";

const FileSystem& Files() { return FileSystem::Posix(); }
bool Never() { return false; }

TEST(VersionsToRemoveTest, LeavesTheNewestAndTheLabelled) {
  const std::vector<int64_t> versions = {1, 2, 3, 5, 8};
  EXPECT_THAT(VersionsToRemove(versions, {}, 2), ElementsAre(1, 2, 3));
  EXPECT_THAT(VersionsToRemove(versions, {}, 5), IsEmpty());
  EXPECT_THAT(VersionsToRemove(versions, {}, 99), IsEmpty());
  EXPECT_THAT(VersionsToRemove(versions, {}, 0), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(VersionsToRemove(versions, {{"tested", {2, 1}}}, 2), ElementsAre(1, 3));
  EXPECT_THAT(VersionsToRemove(versions, {{PinLabel(1), {1, 0}}}, 2), ElementsAre(2, 3));
  // A rollback goes to what stable pointed at before.
  EXPECT_THAT(VersionsToRemove(versions, {{"stable", {8, 2}}}, 1), ElementsAre(1, 3, 5));
  EXPECT_THAT(VersionsToRemove({}, {{"stable", {8, 2}}}, 1), IsEmpty());
}

class StoreToolsTest : public testing::Test {
 protected:
  StoreToolsTest() {
    std::string folder = JoinPath(testing::TempDir(), "toolsXXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    store_ = *OpenStore(StoreFolder(), /*create=*/true);
  }
  ~StoreToolsTest() override { Files().Remove(folder_).IgnoreError(); }

  std::string StoreFolder() const { return JoinPath(folder_, "store"); }
  std::unique_ptr<CheckpointStore> Other() const { return *OpenStore(JoinPath(folder_, "other"), /*create=*/true); }
  int64_t Publish(const std::string& model, const v1::Manifest& manifest = TestManifest()) {
    v1::Manifest next = manifest;
    next.mutable_training()->set_seed(++seed_);
    return PublishArtifact(*store_, model, next, TestWeights(), TestVariants(), TestParts()).value();
  }
  // A publisher that dies.
  void LeaveDebris(const std::string& model) {
    const int64_t version = store_->ListVersions(model)->empty() ? 1 : store_->ListVersions(model)->back() + 1;
    const std::string path = JoinPath(JoinPath(StoreFolder(), model), absl::StrCat(version));
    ASSERT_TRUE(std::filesystem::create_directories(path));
    ASSERT_TRUE(Files().WriteFile(JoinPath(path, "weights.safetensors"), "half").ok());
  }

  std::string folder_;
  std::unique_ptr<CheckpointStore> store_;
  uint64_t seed_ = 0;
};

TEST_F(StoreToolsTest, SummarizesWithoutReadingFiles) {
  v1::Manifest judged = TestManifest();
  judged.mutable_gate()->set_passed(true);
  Publish(kModel);
  Publish(kModel, judged);
  for (const char* label : {"stable", "canary"}) ASSERT_TRUE(store_->SetLabel(kModel, label, 2).ok());
  ASSERT_TRUE(store_->SetLabel(kModel, PinLabel(1), 1).ok());
  const absl::Time before = absl::Now() - absl::Minutes(10);
  const auto summaries = SummarizeModel(*store_, kModel);
  ASSERT_TRUE(summaries.ok()) << summaries.status();
  ASSERT_THAT(*summaries, SizeIs(2));
  const VersionSummary& newest = summaries->front();
  EXPECT_EQ(newest.version, 2);
  EXPECT_THAT(newest.labels, ElementsAre("canary", "stable"));
  EXPECT_FALSE(newest.pinned);
  EXPECT_TRUE(newest.gate->passed());
  EXPECT_GT(newest.published_at, before);
  const Artifact artifact = ReadArtifact(*store_, kModel, 2).value();
  EXPECT_EQ(newest.digest, artifact.digest);
  uint64_t size = 0;
  const std::vector<std::string> names = Files().ListFolder(JoinPath(StoreFolder(), "five/2")).value();
  for (const std::string& name : names) {
    size += Files().ReadFile(JoinPath(JoinPath(StoreFolder(), "five/2"), name), 1 << 20)->size();
  }
  EXPECT_EQ(newest.size, size);
  EXPECT_TRUE(summaries->back().pinned);
  EXPECT_THAT(summaries->back().labels, IsEmpty());
  EXPECT_FALSE(summaries->back().gate.has_value());
}

TEST_F(StoreToolsTest, AnUnreadableManifestHidesNothingElse) {
  Publish(kModel);
  Publish(kModel);
  ASSERT_TRUE(Files().WriteFile(JoinPath(StoreFolder(), "five/1/manifest.json"), "{").ok());
  const auto summaries = SummarizeModel(*store_, kModel);
  ASSERT_THAT(*summaries, SizeIs(2));
  EXPECT_TRUE(summaries->front().manifest.ok());
  EXPECT_FALSE(summaries->back().manifest.ok());
  EXPECT_TRUE(absl::IsNotFound(SummarizeModel(*store_, "fiv").status()));
}

TEST_F(StoreToolsTest, RemovesDebrisOfDeadPublishersOnly) {
  Publish(kModel);
  LeaveDebris(kModel);
  LeaveDebris("new");
  GcReport report;
  ASSERT_TRUE(CollectGarbage(*store_, {.debris_before = absl::Now() - absl::Hours(1)}, Never, &report).ok());
  EXPECT_THAT(report.debris, IsEmpty());
  const GcOptions all = {.debris_before = absl::InfiniteFuture(), .keep = std::nullopt, .dry_run = true};
  ASSERT_TRUE(CollectGarbage(*store_, all, Never, &report).ok());
  EXPECT_THAT(report.debris, SizeIs(2));
  EXPECT_THAT(*store_->ListDebris(), SizeIs(2));
  report = {};
  ASSERT_TRUE(CollectGarbage(*store_, {.debris_before = absl::InfiniteFuture()}, Never, &report).ok());
  EXPECT_THAT(report.debris, SizeIs(2));
  EXPECT_THAT(*store_->ListDebris(), IsEmpty());
  EXPECT_TRUE(ReadArtifact(*store_, kModel, 1).ok());
}

TEST_F(StoreToolsTest, RemovesOldVersions) {
  for (int i = 0; i < 5; ++i) Publish(kModel);
  Publish("mice");
  ASSERT_TRUE(store_->SetLabel(kModel, "tested", 2).ok());
  ASSERT_TRUE(Files().WriteFile(JoinPath(StoreFolder(), "five/3/manifest.json"), "{").ok());
  const GcOptions options = {.debris_before = absl::InfinitePast(), .keep = 1};
  GcReport report;
  ASSERT_TRUE(CollectGarbage(*store_, options, Never, &report).ok());
  ASSERT_THAT(report.versions, SizeIs(3));
  EXPECT_EQ(report.versions[0].version, 1);
  EXPECT_GT(report.versions[0].size, 0u);
  EXPECT_EQ(report.versions[1].size, 0u);
  EXPECT_THAT(*store_->ListVersions(kModel), ElementsAre(2, 5));
  EXPECT_THAT(*store_->ListVersions("mice"), ElementsAre(1));
}

TEST_F(StoreToolsTest, AnInterruptEndsBetweenSteps) {
  for (int i = 0; i < 5; ++i) Publish(kModel);
  GcReport report;
  int asked = 0;
  const GcOptions options = {.debris_before = absl::InfinitePast(), .keep = 1};
  const absl::Status status = CollectGarbage(
      *store_, options, [&] { return ++asked > 2; }, &report);
  EXPECT_TRUE(absl::IsCancelled(status));
  EXPECT_THAT(report.versions, SizeIs(2));
  EXPECT_THAT(*store_->ListVersions(kModel), ElementsAre(3, 4, 5));
}

// Somebody labels each version that is about to go.
class LabelledMeanwhile final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override {
    EXPECT_TRUE(const_cast<LabelledMeanwhile*>(this)->SetLabel(model, "wanted", version).ok());
    return ForwardingStore::Read(model, version, file, limit);
  }
};

TEST_F(StoreToolsTest, AVersionThatIsLabelledMeanwhileStays) {
  for (int i = 0; i < 3; ++i) Publish(kModel);
  LabelledMeanwhile store(*OpenStore(StoreFolder(), false));
  GcReport report;
  ASSERT_TRUE(CollectGarbage(store, {.debris_before = absl::InfinitePast(), .keep = 1}, Never, &report).ok());
  EXPECT_THAT(report.versions, IsEmpty());
  EXPECT_THAT(*store_->ListVersions(kModel), ElementsAre(1, 2, 3));
}

TEST_F(StoreToolsTest, CopiesByteForByteAndOnce) {
  Publish(kModel);
  Publish(kModel);
  const auto other = Other();
  const auto first = CopyVersion(*store_, kModel, 2, *other, "six", Never);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->version, 1);
  EXPECT_FALSE(first->was_there);
  const Artifact copy = ReadArtifact(*other, "six", 1).value();
  EXPECT_EQ(copy.digest, ReadArtifact(*store_, kModel, 2)->digest);
  EXPECT_EQ(copy.digest, first->digest);
  ASSERT_EQ(CopyVersion(*store_, kModel, 1, *other, "six", Never)->version, 2);
  // Also where it is not the newest there.
  const auto again = CopyVersion(*store_, kModel, 2, *other, "six", Never);
  EXPECT_TRUE(again->was_there);
  EXPECT_EQ(again->version, 1);
  EXPECT_THAT(*other->ListVersions("six"), ElementsAre(1, 2));
}

TEST_F(StoreToolsTest, CopiesNothingThatIsDamaged) {
  Publish(kModel);
  const std::string path = JoinPath(StoreFolder(), "five/1/variants.vcf");
  std::string bytes = *Files().ReadFile(path, 1 << 20);
  bytes.back() ^= 1;
  ASSERT_TRUE(Files().WriteFile(path, bytes).ok());
  const auto other = Other();
  const absl::Status status = CopyVersion(*store_, kModel, 1, *other, kModel, Never).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("variants.vcf"));
  EXPECT_THAT(*other->ListModels(), IsEmpty());
  EXPECT_THAT(*other->ListDebris(), IsEmpty());
}

TEST_F(StoreToolsTest, AnInterruptedCopyLeavesNothing) {
  Publish(kModel);
  const auto other = Other();
  int asked = 0;
  const auto copy = CopyVersion(*store_, kModel, 1, *other, kModel, [&] { return ++asked == 2; });
  EXPECT_TRUE(absl::IsCancelled(copy.status()));
  EXPECT_THAT(*Files().ListFolder(JoinPath(folder_, "other")), IsEmpty());
}

}  // namespace
}  // namespace genoserve
