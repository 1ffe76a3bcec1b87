#include "trainer/loop/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace genoserve {
namespace {

using ::testing::HasSubstr;

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

  std::string Refusal(const v1::Manifest& now) const { return std::string(CheckSameRun(run_, now).message()); }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
  std::string path_;
  v1::Manifest run_;
};

TEST_F(CheckpointTest, ComesBackWhole) {
  const std::string state("\0raw\xff", 5);
  ASSERT_TRUE(WriteCheckpoint(files_, path_, {run_, "before"}).ok());
  ASSERT_TRUE(WriteCheckpoint(files_, path_, {run_, state}).ok()) << "replaces the one before";
  const absl::StatusOr<Checkpoint> read = ReadCheckpoint(files_, path_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->state, state);
  EXPECT_EQ(read->run.SerializeAsString(), run_.SerializeAsString());
  EXPECT_EQ(files_.ListFolder(folder_)->size(), 1) << "no temporary file is left";
}

TEST_F(CheckpointTest, DamageIsFoundWhereverItIs) {
  ASSERT_TRUE(WriteCheckpoint(files_, path_, {run_, "state"}).ok());
  const std::string bytes = files_.ReadFile(path_, 1 << 20).value();
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_TRUE(files_.WriteFile(path_, damaged).ok());
    EXPECT_TRUE(absl::IsDataLoss(ReadCheckpoint(files_, path_).status())) << "byte " << i;
    ASSERT_TRUE(files_.WriteFile(path_, bytes.substr(0, i)).ok());
    EXPECT_TRUE(absl::IsDataLoss(ReadCheckpoint(files_, path_).status())) << "first " << i << " bytes";
  }
  EXPECT_TRUE(absl::IsNotFound(ReadCheckpoint(files_, JoinPath(folder_, "none")).status()));
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
