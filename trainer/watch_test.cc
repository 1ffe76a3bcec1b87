// train --watch through the real program, and what a version keeps of its configuration.
#include "trainer/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "trainer/config_file.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class WatchTest : public testing::Test {
 protected:
  WatchTest() : data_(testing::UnitTest::GetInstance()->current_test_info()->name()) {
    config_ = data_.Write("run.txtpb", absl::StrCat("arch: 'wgan-gp'\n"
                                                    "input { vcf: '",
                                                    data_.Path("real.vcf"), "' pheno: '", data_.Path("pheno.tsv"),
                                                    "' pheno_names: 'weight' }\n"
                                                    "recipe { batch_size: 16 average_decay: 0 }\n"
                                                    "schedule { steps: 3 device: 'cpu' validations: 1 }\n"
                                                    "output { store: '",
                                                    data_.Path("store"), "' create_store: true model: 'tiny' gate: '",
                                                    data_.Path("mild.gate"), "' }\n"));
  }

  ProgramResult Watch(const std::vector<std::string>& more = {}, const ProgramOptions& options = {}) const {
    std::vector<std::string> arguments = {"train", "--config", config_, "--watch"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTrainer(arguments, options);
  }
  // A sample's phenotype is data.
  void ChangeData() const {
    std::string phenotypes = FileSystem::Posix().ReadFile(data_.Path("pheno.tsv"), 1 << 20).value();
    phenotypes.insert(phenotypes.find_last_of("0123456789") + 1, "1");
    data_.Write("pheno.tsv", phenotypes);
  }

  TestData data_;
  std::string config_;
};

TEST_F(WatchTest, TrainsOnlyWhereDataOrSettingsAreOthers) {
  const ProgramResult first = Watch();
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("model tiny has no version yet"));
  EXPECT_THAT(first.out, HasSubstr("published tiny version 1 "));

  const ProgramResult second = Watch();
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_THAT(second.err, AllOf(HasSubstr("version 1 of tiny has this data and these settings: nothing to train"),
                                Not(HasSubstr("training wgan-gp"))));
  EXPECT_THAT(second.out, IsEmpty());
  EXPECT_EQ(data_.FilesUnder("store").size(), 6);

  const ProgramResult other = Watch({"--seed", "4"});
  EXPECT_EQ(other.exit_code, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("the settings are not those of version 1 of tiny"));
  EXPECT_THAT(other.out, HasSubstr("published tiny version 2 "));

  // The newest version counts.
  ChangeData();
  const ProgramResult newer = Watch({"--seed", "4"});
  EXPECT_EQ(newer.exit_code, 0) << newer.err;
  EXPECT_THAT(newer.err, HasSubstr("the data is not that of version 2 of tiny"));
  EXPECT_THAT(newer.out, HasSubstr("published tiny version 3 "));
}

TEST_F(WatchTest, ACheckpointOfOlderDataKeepsNoNightlyJobFromTraining) {
  const ProgramResult stopped = Watch({"--resume"}, {.signal = SIGTERM, .signal_at = "validating after step 3"});
  ASSERT_EQ(stopped.exit_code, 130) << stopped.err;
  const std::string checkpoint = data_.Path("store/.checkpoints/tiny.ckpt");
  ASSERT_TRUE(FileSystem::Posix().Exists(checkpoint));
  ChangeData();
  const ProgramResult by_hand = RunTrainer({"train", "--config", config_, "--resume"});
  EXPECT_EQ(by_hand.exit_code, 2) << "who is there decides";
  EXPECT_THAT(by_hand.err,
              HasSubstr(checkpoint + ": the checkpoint belongs to another run: it was made from other data"));

  const ProgramResult again = Watch({"--resume"}, {.signal = SIGTERM, .signal_at = "validating after step 3"});
  EXPECT_EQ(again.exit_code, 130) << again.err;
  EXPECT_THAT(again.err, HasSubstr("made from other data; it is set aside as " + checkpoint + ".stale"));
  EXPECT_TRUE(FileSystem::Posix().Exists(checkpoint + ".stale"));
  const ProgramResult night = Watch({"--resume"});
  EXPECT_EQ(night.exit_code, 0) << night.err;
  EXPECT_THAT(night.err, HasSubstr("going on from " + checkpoint + " after step 3"));
  EXPECT_THAT(night.out, HasSubstr("published tiny version 1 "));
  EXPECT_FALSE(FileSystem::Posix().Exists(checkpoint + ".stale")) << "with a newer version it is of no use";

  data_.Write("damaged.ckpt", "GSCKPT02 and nothing more");
  const ProgramResult damaged = Watch({"--resume", "--seed", "4", "--checkpoint", data_.Path("damaged.ckpt")});
  EXPECT_EQ(damaged.exit_code, 0) << damaged.err;
  EXPECT_THAT(damaged.err, HasSubstr("damaged.ckpt.stale"));
  EXPECT_THAT(damaged.out, HasSubstr("published tiny version 2 "));
}

TEST_F(WatchTest, AVersionKeepsTheConfigurationThatItWasTrainedBy) {
  const ProgramResult result = RunTrainer({"train", "--config", config_, "--seed", "4", "--nudge", "localhost:1"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("warning: server localhost:1 could not be told of version 1"));
  const std::string path = data_.Path("store/tiny/1/train.txtpb");
  EXPECT_THAT(FileSystem::Posix().ReadFile(path, 1 << 20).value_or(""),
              AllOf(HasSubstr("vcf: \"real.vcf\""), Not(HasSubstr(data_.Path(""))), Not(HasSubstr("localhost"))));
  const auto kept = ReadConfigFile(path);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->schedule().seed(), 4);
  EXPECT_EQ(kept->recipe().batch_size(), 16);
  EXPECT_EQ(kept->recipe().average_decay(), 0);
  EXPECT_EQ(kept->recipe().critic_steps(), 3) << "what the preset filled in";
}

TEST_F(WatchTest, FilesThatCannotBeReadAreTold) {
  data_.Write("store", "");
  EXPECT_EQ(Watch().exit_code, 2);
  const ProgramResult result = Watch({"--vcf", data_.Path("none.vcf")});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("none.vcf"));
}

}  // namespace
}  // namespace genoserve
