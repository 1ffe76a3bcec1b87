#include "core/artifact/store_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "core/artifact/test_artifact.h"
#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kModel[] = "five";

// A model with three versions.
class StoreLabelsTest : public testing::Test {
 protected:
  StoreLabelsTest() {
    std::string folder = JoinPath(testing::TempDir(), "labelsXXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    store_ = *OpenStore(folder_, /*create=*/true);
    for (int i = 0; i < 3; ++i) Publish();
  }
  ~StoreLabelsTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  void Publish() {
    EXPECT_TRUE(PublishArtifact(*store_, kModel, TestManifest(), TestWeights(), TestVariants(), TestParts()).ok());
  }
  Label Get(absl::string_view label) const { return store_->ListLabels(kModel).value()[std::string(label)]; }
  static std::string Message(const absl::Status& status) { return std::string(status.message()); }

  std::string folder_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(StoreLabelsTest, MovesToVersionsThatAreThere) {
  const auto first = MoveLabel(*store_, kModel, "tested", 2);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->before, Label());
  EXPECT_EQ(first->after, (Label{2, 0}));
  const auto second = MoveLabel(*store_, kModel, "tested", 3);
  EXPECT_EQ(second->before, (Label{2, 0}));
  EXPECT_EQ(second->after, (Label{3, 2}));
  const absl::Status missing = MoveLabel(*store_, kModel, "tested", 9).status();
  EXPECT_TRUE(absl::IsNotFound(missing));
  EXPECT_THAT(Message(missing), AllOf(HasSubstr("no version 9"), HasSubstr("1, 2, 3")));
  const absl::Status typo = MoveLabel(*store_, "fvie", "tested", 1).status();
  EXPECT_TRUE(absl::IsNotFound(typo));
  EXPECT_THAT(Message(typo), HasSubstr("did you mean five?"));
  EXPECT_TRUE(absl::IsInvalidArgument(MoveLabel(*store_, kModel, "two words", 1).status()));
  EXPECT_EQ(Get("tested"), (Label{3, 2}));
}

TEST_F(StoreLabelsTest, DropsWhatIsThere) {
  EXPECT_THAT(Message(DropLabel(*store_, kModel, "tested").status()), HasSubstr("it has none"));
  ASSERT_TRUE(MoveLabel(*store_, kModel, "tested", 2).ok());
  EXPECT_THAT(Message(DropLabel(*store_, kModel, "tsted").status()), HasSubstr("there are tested"));
  EXPECT_EQ(DropLabel(*store_, kModel, "tested")->before, (Label{2, 0}));
  EXPECT_THAT(store_->ListLabels(kModel).value(), IsEmpty());
}

TEST_F(StoreLabelsTest, ASecondRollbackUndoesTheFirst) {
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 1).ok());
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 3).ok());
  EXPECT_EQ(RollBack(*store_, kModel)->after.version, 1);
  EXPECT_EQ(RollBack(*store_, kModel)->after.version, 3);
}

TEST_F(StoreLabelsTest, WithoutALabelARollbackLeavesTheNewest) {
  const auto move = RollBack(*store_, kModel);
  ASSERT_TRUE(move.ok()) << move.status();
  EXPECT_EQ(move->before.version, 0);
  EXPECT_EQ(move->after.version, 2);
  EXPECT_EQ(RollBack(*store_, kModel)->after.version, 3);
}

TEST_F(StoreLabelsTest, RefusesToRollBackToNothing) {
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 2).ok());
  const absl::Status never_moved = RollBack(*store_, kModel).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(never_moved));
  EXPECT_THAT(Message(never_moved), HasSubstr("1, 2, 3"));
  // What it pointed at before has been removed.
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 3).ok());
  ASSERT_TRUE(store_->RemoveVersion(kModel, 2).ok());
  EXPECT_TRUE(absl::IsNotFound(RollBack(*store_, kModel).status()));
  EXPECT_EQ(Get(kStableLabel), (Label{3, 2}));
  // A single version.
  ASSERT_TRUE(store_->RemoveLabel(kModel, kStableLabel).ok());
  ASSERT_TRUE(store_->RemoveVersion(kModel, 1).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(RollBack(*store_, kModel).status()));
  EXPECT_THAT(store_->ListLabels(kModel).value(), IsEmpty());
}

TEST_F(StoreLabelsTest, PromotesTheCanary) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Promote(*store_, kModel).status()));
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 2).ok());
  ASSERT_TRUE(MoveLabel(*store_, kModel, kCanaryLabel, 3).ok());
  const auto move = Promote(*store_, kModel);
  ASSERT_TRUE(move.ok()) << move.status();
  EXPECT_EQ(Get(kStableLabel), (Label{3, 2}));
  EXPECT_EQ(store_->ListLabels(kModel).value().size(), 1u);
  EXPECT_EQ(RollBack(*store_, kModel)->after.version, 2);
}

TEST_F(StoreLabelsTest, ACanaryThatIsGoneIsNotPromoted) {
  ASSERT_TRUE(MoveLabel(*store_, kModel, kStableLabel, 2).ok());
  ASSERT_TRUE(MoveLabel(*store_, kModel, kCanaryLabel, 3).ok());
  ASSERT_TRUE(store_->RemoveVersion(kModel, 3).ok());
  EXPECT_TRUE(absl::IsNotFound(Promote(*store_, kModel).status()));
  EXPECT_EQ(Get(kStableLabel), (Label{2, 0}));
  EXPECT_EQ(Get(kCanaryLabel), (Label{3, 0}));
}

TEST(PinLabelTest, AreKnownByTheirNames) {
  EXPECT_EQ(PinLabel(7), "pin-7");
  EXPECT_TRUE(IsPinLabel("pin-7"));
  for (const char* other : {"pin", "pin-", "pin-x", "pin-0", "stable", "mypin-7"}) EXPECT_FALSE(IsPinLabel(other));
}

}  // namespace
}  // namespace genoserve
