#include "trainer/loop/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A file system that fails from one operation on, as after a power cut: a write that fails leaves half of its bytes.
class CutOff final : public FileSystem {
 public:
  explicit CutOff(int operations) : left_(operations) {}

  absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const override {
    return files_.ReadFile(path, limit);
  }
  absl::Status WriteFile(const std::string& path, absl::string_view bytes) const override {
    if (left_-- > 0) return files_.WriteFile(path, bytes);
    files_.WriteFile(path, bytes.substr(0, bytes.size() / 2)).IgnoreError();
    return Failed();
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return left_-- > 0 ? files_.Rename(from, to) : Failed();
  }
  absl::Status SyncFolder(const std::string& path) const override {
    return left_-- > 0 ? files_.SyncFolder(path) : Failed();
  }
  absl::Status MakeFolder(const std::string& /*path*/) const override { return Failed(); }
  absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const override {
    return files_.ListFolder(path);
  }
  bool Exists(const std::string& path) const override { return files_.Exists(path); }
  absl::StatusOr<absl::Time> LastChange(const std::string& path) const override { return files_.LastChange(path); }
  absl::Status Remove(const std::string& /*path*/) const override { return Failed(); }

 private:
  static absl::Status Failed() { return absl::ResourceExhaustedError("disk full"); }

  const FileSystem& files_ = FileSystem::Posix();
  mutable int left_;
};

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = JoinPath(testing::TempDir(),
                       std::string("checkpoint-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = JoinPath(folder_, "model.ckpt");
    run_.set_variant_count(7);
    run_.add_labels()->set_name("north");
    run_.mutable_training()->set_data_digest("d");
    run_.mutable_training()->set_seed(3);
    run_.mutable_training()->set_steps(100);
    run_.mutable_training()->mutable_recipe()->set_preset("acgan");
    run_.mutable_training()->mutable_recipe()->set_batch_size(64);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Checkpoint Of(const std::string& recipe) const { return {run_, {}, recipe}; }
  absl::Status Write(const std::string& recipe) const { return WriteCheckpoint(files_, path_, Of(recipe)).status(); }
  std::string Refusal(const v1::Manifest& now) const { return std::string(CheckSameRun(run_, now).message()); }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
  std::string path_;
  v1::Manifest run_;
};

TEST_F(CheckpointTest, ComesBackWhole) {
  const std::string raw("\0raw\xff", 5);
  ASSERT_TRUE(Write("before").ok());
  Checkpoint checkpoint = Of(raw);
  checkpoint.state.good = "good";
  checkpoint.state.best = "best";
  checkpoint.state.loop.set_best_step(7);
  const absl::StatusOr<int64_t> bytes = WriteCheckpoint(files_, path_, checkpoint);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, std::filesystem::file_size(path_));
  const absl::StatusOr<FoundCheckpoint> read = ReadCheckpoint(files_, path_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->path, path_);
  EXPECT_EQ(read->trouble, "");
  EXPECT_EQ(read->checkpoint.recipe, raw);
  EXPECT_EQ(read->checkpoint.state.good, "good");
  EXPECT_EQ(read->checkpoint.state.best, "best");
  EXPECT_EQ(read->checkpoint.state.loop.best_step(), 7);
  EXPECT_EQ(read->checkpoint.run.SerializeAsString(), run_.SerializeAsString());
  EXPECT_THAT(*files_.ListFolder(folder_), ElementsAre("model.ckpt", "model.ckpt.previous"));
  RemoveCheckpoint(files_, path_);
  EXPECT_THAT(*files_.ListFolder(folder_), IsEmpty());
}

TEST_F(CheckpointTest, DamageWhereverItIsLeadsToTheOneBefore) {
  ASSERT_TRUE(Write("before").ok());
  ASSERT_TRUE(Write("newest").ok());
  const std::string bytes = files_.ReadFile(path_, 1 << 20).value();
  const auto expect_the_one_before = [&](const std::string& damaged, const std::string& what) {
    ASSERT_TRUE(files_.WriteFile(path_, damaged).ok());
    const absl::StatusOr<FoundCheckpoint> read = ReadCheckpoint(files_, path_);
    ASSERT_TRUE(read.ok()) << what << ": " << read.status();
    EXPECT_EQ(read->checkpoint.recipe, "before") << what;
    EXPECT_EQ(read->path, path_ + ".previous");
    EXPECT_THAT(read->trouble, HasSubstr("model.ckpt: ")) << what;
  };
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    expect_the_one_before(damaged, absl::StrCat("byte ", i));
    expect_the_one_before(bytes.substr(0, i), absl::StrCat("first ", i, " bytes"));
  }
}

TEST_F(CheckpointTest, WithoutAWholeOneItIsToldWhatToDo) {
  EXPECT_TRUE(absl::IsNotFound(ReadCheckpoint(files_, path_).status()));
  EXPECT_FALSE(CheckpointExists(files_, path_));
  ASSERT_TRUE(files_.WriteFile(path_, "GSCKPT02 and nothing more").ok());
  absl::Status status = ReadCheckpoint(files_, path_).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_EQ(status.message(), path_ +
                                  ": the checkpoint is damaged or not whole, and there is none before it; put back a "
                                  "copy of it, or remove what is there to train anew");
  ASSERT_TRUE(files_.WriteFile(path_ + ".previous", "short").ok());
  status = ReadCheckpoint(files_, path_).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(", and so is " + path_ + ".previous; put back a copy"));
}

TEST_F(CheckpointTest, OneWholeCheckpointIsLeftWhereverAWriteIsCutOff) {
  ASSERT_TRUE(Write("first").ok());
  for (int operation = 0;; ++operation) {
    const CutOff cut(operation);
    const absl::Status status = WriteCheckpoint(cut, path_, Of("second")).status();
    const absl::StatusOr<FoundCheckpoint> read = ReadCheckpoint(files_, path_);
    ASSERT_TRUE(read.ok()) << "after operation " << operation << ": " << read.status();
    if (status.ok()) {
      EXPECT_EQ(read->checkpoint.recipe, "second");
      EXPECT_GE(operation, 4) << "write, two renames and a sync could fail";
      break;
    }
    RemoveCheckpoint(files_, path_);
    ASSERT_TRUE(Write("first").ok());
  }
}

TEST_F(CheckpointTest, AWriteThatFailsLeavesTheOneBeforeAsItWas) {
  ASSERT_TRUE(Write("first").ok());
  const std::string bytes = files_.ReadFile(path_, 1 << 20).value();
  EXPECT_TRUE(absl::IsResourceExhausted(WriteCheckpoint(CutOff(0), path_, Of("second")).status()));
  EXPECT_EQ(files_.ReadFile(path_, 1 << 20).value(), bytes);
}

TEST_F(CheckpointTest, IsProbedBeforeHoursAreSpent) {
  EXPECT_TRUE(ProbeCheckpoint(files_, path_, 1000).ok());
  EXPECT_THAT(*files_.ListFolder(folder_), IsEmpty());
  const absl::Status full = ProbeCheckpoint(files_, path_, int64_t{1} << 60);
  EXPECT_TRUE(absl::IsResourceExhausted(full));
  EXPECT_THAT(std::string(full.message()), AllOf(HasSubstr("model.ckpt: checkpoints of this training need"),
                                                 HasSubstr("there is room for"), HasSubstr("--checkpoint")));
  EXPECT_TRUE(absl::IsNotFound(ProbeCheckpoint(files_, JoinPath(folder_, "none/model.ckpt"), 1000)));
}

TEST_F(CheckpointTest, AnotherNumberOfStepsWhereNothingFollowsASchedule) {
  v1::Manifest now = run_;
  now.mutable_training()->set_steps(50);
  EXPECT_TRUE(CheckSameRun(run_, now).ok());
  run_.mutable_training()->mutable_recipe()->set_learning_rate_schedule("cosine");
  now.mutable_training()->mutable_recipe()->set_learning_rate_schedule("cosine");
  EXPECT_THAT(Refusal(now), HasSubstr("its number of steps is 100, not 50, and the temperature or the learning rates "
                                      "follow a schedule over all of them"));
}

TEST_F(CheckpointTest, GoesOnOnlyWithTheSameRun) {
  v1::Manifest now = run_;
  now.set_description("told differently");
  now.mutable_training()->set_seconds(12);
  EXPECT_TRUE(CheckSameRun(run_, now).ok());
  now.mutable_training()->set_seed(4);
  EXPECT_THAT(Refusal(now), HasSubstr("its seed is 3, not 4"));
  now = run_;
  now.mutable_training()->set_data_digest("e");
  EXPECT_THAT(Refusal(now), HasSubstr("other data"));
  now = run_;
  now.mutable_training()->mutable_recipe()->set_temperature_end(0.5);
  now.mutable_training()->set_steps(50);
  EXPECT_THAT(Refusal(now), HasSubstr("its number of steps is 100, not 50"));
  now = run_;
  now.mutable_training()->mutable_recipe()->set_preset("wgan-gp");
  EXPECT_THAT(Refusal(now), HasSubstr("its architecture is acgan, not wgan-gp"));
  now = run_;
  now.mutable_training()->mutable_recipe()->set_batch_size(32);
  EXPECT_THAT(Refusal(now), HasSubstr("its batch size is 64, not 32"));
  now = run_;
  now.mutable_labels(0)->set_name("south");
  EXPECT_THAT(Refusal(now), HasSubstr("labels, phenotypes or settings differ"));
  now = run_;
  now.mutable_generator()->mutable_acgan()->set_latent_size(9);
  EXPECT_FALSE(CheckSameRun(run_, now).ok());
}

}  // namespace
}  // namespace genoserve
