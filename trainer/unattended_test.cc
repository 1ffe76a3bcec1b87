// What happens to a training that nobody watches: kills, signals, divergence, a full disk, damaged checkpoints. Through
// the real program, on data simulated here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class UnattendedTest : public testing::Test {
 protected:
  UnattendedTest() : data_(absl::StrCat("un-", testing::UnitTest::GetInstance()->current_test_info()->name())) {}

  // Arguments of a training that publishes to `store`; `schedule` and `recipe` are what stands in these messages of the
  // configuration.
  std::vector<std::string> Training(const std::string& store, const std::string& schedule,
                                    const std::string& recipe = "") const {
    const std::string config = data_.Write(
        store + ".txtpb", absl::StrCat("arch: 'acgan'\ninput { vcf: '", data_.Path("real.vcf"), "' panel: '",
                                       data_.Path("panel.tsv"), "' label_column: 'pop' }\nrecipe { batch_size: 32 ",
                                       recipe, " }\nschedule { device: 'cpu' ", schedule, " checkpoint: '",
                                       data_.Path(store + ".ckpt"), "' }\noutput { store: '", data_.Path(store),
                                       "' create_store: true model: 'tiny' gate: '", data_.Path("mild.gate"), "' }\n"));
    return {"train", "--config", config};
  }
  static std::vector<std::string> Resumed(std::vector<std::string> arguments) {
    arguments.emplace_back("--resume");
    return arguments;
  }

  v1::Manifest Published(const std::string& store) const {
    const auto opened = OpenStore(data_.Path(store), false);
    EXPECT_TRUE(opened.ok()) << opened.status();
    const absl::StatusOr<Artifact> artifact = ReadArtifact(**opened, "tiny", 1);
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    return artifact.ok() ? artifact->manifest : v1::Manifest();
  }
  std::string WeightsOf(const std::string& store) const {
    const v1::Manifest manifest = Published(store);
    for (const v1::ArtifactFile& file : manifest.files()) {
      if (file.name() == kWeightsFile) return file.sha256();
    }
    return "";
  }

  TestData data_;
};

// A checkpoint after each step: a kill at the first or second of them is in the middle.
constexpr char kKilled[] = "steps: 60 validations: 4 checkpoint_seconds: 0";

TEST_F(UnattendedTest, KilledInTheMiddleItGoesOnToTheSameWeights) {
  ASSERT_EQ(RunTrainer(Training("whole", kKilled)).exit_code, 0);
  const std::vector<std::string> arguments = Training("killed", kKilled);
  ProgramResult result = RunTrainer(arguments, {.signal = SIGKILL, .signal_on = data_.Path("killed.ckpt")});
  ASSERT_EQ(result.exit_code, -SIGKILL) << result.err;
  result = RunTrainer(Resumed(arguments), {.signal = SIGKILL, .signal_on = data_.Path("killed.ckpt.previous")});
  ASSERT_EQ(result.exit_code, -SIGKILL) << result.err;
  EXPECT_THAT(result.err, HasSubstr("going on from " + data_.Path("killed.ckpt") + " after step "));
  result = RunTrainer(Resumed(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(WeightsOf("killed"), WeightsOf("whole"));
  EXPECT_EQ(Published("killed").training().steps(), Published("whole").training().steps());
  EXPECT_THAT(data_.FilesUnder(""), Not(Contains(HasSubstr("killed.ckpt")))) << "published, it needs no checkpoint";
}

TEST_F(UnattendedTest, KilledInAValidationItGoesOnToTheSameWeights) {
  ASSERT_EQ(RunTrainer(Training("whole", kKilled)).exit_code, 0);
  const std::vector<std::string> arguments = Training("killed", kKilled);
  ProgramResult result = RunTrainer(arguments, {.signal = SIGKILL, .signal_at = "validating after step 30"});
  ASSERT_EQ(result.exit_code, -SIGKILL) << result.err;
  result = RunTrainer(Resumed(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(WeightsOf("killed"), WeightsOf("whole"));
}

TEST_F(UnattendedTest, ASignalInAValidationLeavesACheckpointOfThatStep) {
  ASSERT_EQ(RunTrainer(Training("whole", "steps: 12 validations: 3")).exit_code, 0);
  const std::vector<std::string> arguments = Training("stopped", "steps: 12 validations: 3");
  ProgramResult result = RunTrainer(arguments, {.signal = SIGTERM, .signal_at = "validating after step 8"});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("stopped after step 8; the checkpoint is " + data_.Path("stopped.ckpt")));
  result = RunTrainer(Resumed(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("after step 8"), HasSubstr("validation after step 8"),
                                Not(HasSubstr("validation after step 4"))));
  EXPECT_EQ(WeightsOf("stopped"), WeightsOf("whole"));
}

TEST_F(UnattendedTest, ASignalInTheFinalMeasuringKeepsTheWholeTraining) {
  const std::vector<std::string> arguments = Training("stopped", "steps: 6 validations: 1");
  ProgramResult result = RunTrainer(arguments, {.signal = SIGTERM, .signal_at = "genoserve-trainer: "});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("stopped after step 6"));
  result = RunTrainer(Resumed(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("validating after step"))) << "nothing was left to do but to measure";
}

TEST_F(UnattendedTest, ADamagedCheckpointFallsBackToTheOneBefore) {
  const std::vector<std::string> arguments = Training("run", kKilled);
  ASSERT_EQ(RunTrainer(Training("whole", kKilled)).exit_code, 0);
  ASSERT_EQ(RunTrainer(arguments, {.signal = SIGKILL, .signal_on = data_.Path("run.ckpt.previous")}).exit_code,
            -SIGKILL);
  const std::string checkpoint = data_.Path("run.ckpt");
  // The kill may have come between the two renames.
  if (FileSystem::Posix().Exists(checkpoint)) {
    const std::string bytes = FileSystem::Posix().ReadFile(checkpoint, uint64_t{1} << 30).value();
    data_.Write("run.ckpt", bytes.substr(0, bytes.size() / 2));
  }
  const ProgramResult result = RunTrainer(Resumed(arguments));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr(checkpoint), HasSubstr("taking the one before it"),
                                HasSubstr("going on from " + checkpoint + ".previous after step ")));
  EXPECT_EQ(WeightsOf("run"), WeightsOf("whole"));
}

TEST_F(UnattendedTest, WhereBothCheckpointsAreDamagedItSaysWhatToDo) {
  data_.Write("run.ckpt", "GSCKPT02 and nothing more");
  data_.Write("run.ckpt.previous", "");
  const ProgramResult result = RunTrainer(Resumed(Training("run", "steps: 4")));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(result.err, AllOf(HasSubstr("run.ckpt: the checkpoint is damaged or not whole, and so is"),
                                HasSubstr("run.ckpt.previous; put back a copy of it, or remove what is there")));
}

TEST_F(UnattendedTest, AFullDiskIsToldAndTheTrainingGoesOn) {
  // Files may have 3 MB, as where no more is left on the disk: enough for the artifact, too little for a checkpoint
  // with this critic.
  const ProgramResult result =
      RunTrainer(Training("store", "steps: 20 validations: 1", "critic_hidden_sizes: 1024 critic_hidden_sizes: 1024"),
                 {.largest_file = 3'000'000});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("cannot write a checkpoint of the whole training: "));
  EXPECT_THAT(data_.FilesUnder("store"), Contains("tiny/1/manifest.json"));
  EXPECT_THAT(data_.FilesUnder(""), Not(Contains(HasSubstr("store.ckpt")))) << "no half checkpoint is left";
}

TEST_F(UnattendedTest, ACheckpointThatCannotBeWrittenIsToldBeforeTheTraining) {
  std::vector<std::string> arguments = Training("store", "steps: 4");
  arguments.insert(arguments.end(), {"--checkpoint", data_.Path("none/run.ckpt")});
  const ProgramResult result = RunTrainer(arguments);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("none/run.ckpt"), Not(HasSubstr("training acgan"))));
}

TEST_F(UnattendedTest, AbsurdLearningRatesAreLoweredAndTheirOutcomeIsJudged) {
  // The gradient penalty of a deep critic overflows.
  std::string recipe =
      "generator_learning_rate: 1 critic_learning_rate: 1 gradient_penalty: 1e6 critic_hidden_sizes: 32";
  for (int layer = 1; layer < 16; ++layer) absl::StrAppend(&recipe, " critic_hidden_sizes: 32");
  const std::string config =
      data_.Write("absurd.txtpb",
                  absl::StrCat("arch: 'wgan-gp'\ninput { vcf: '", data_.Path("real.vcf"), "' pheno: '",
                               data_.Path("pheno.tsv"), "' pheno_names: 'colour' }\nrecipe { batch_size: 32 ", recipe,
                               " }\nschedule { device: 'cpu' steps: 100 validations: 1 }\noutput { store: '",
                               data_.Path("store"), "' create_store: true model: 'tiny' }\n"));
  const ProgramResult result = RunTrainer({"train", "--config", config});
  EXPECT_EQ(result.exit_code, 7) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("loss is not finite"), HasSubstr("going on from step 0 by another path"),
                                HasSubstr("not good enough to publish")));
  EXPECT_THAT(data_.FilesUnder("store"), Not(Contains(HasSubstr("manifest.json"))));
}

TEST_F(UnattendedTest, PatienceEndsTheTrainingEarlyWithItsBest) {
  const ProgramResult result = RunTrainer(Training("store", "steps: 2000 validations: 1000 patience: 3"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("ended early: 3 validations were no better than the one after step "),
                                HasSubstr("taking the best validation, after step ")));
  EXPECT_LT(Published("store").training().steps(), 2000);
}

TEST_F(UnattendedTest, ThePublishedWeightsAreThoseOfTheBestValidation) {
  const ProgramResult result = RunTrainer(Training("store", "steps: 40 validations: 8"));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::string best;
  for (const absl::string_view line : absl::StrSplit(result.err, '\n')) {
    if (absl::StrContains(line, ", the best so far")) best = std::string(line.substr(0, line.find(':')));
  }
  EXPECT_EQ(best, absl::StrCat("validation after step ", Published("store").training().steps()));
}

TEST_F(UnattendedTest, ARunIsMadeLongerWhereNothingFollowsItsLength) {
  const std::string constant = "temperature_start: 0.7 temperature_end: 0.7";
  const std::vector<std::string> arguments = Training("store", "steps: 8 validations: 2", constant);
  ASSERT_EQ(RunTrainer(arguments, {.signal = SIGTERM, .signal_at = "validating after step 4"}).exit_code, 130);
  std::vector<std::string> longer = Resumed(arguments);
  longer.insert(longer.end(), {"--steps", "12"});
  const ProgramResult result = RunTrainer(longer);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("validating after step 12"));

  const std::vector<std::string> scheduled = Training("other", "steps: 8 validations: 2");
  ASSERT_EQ(RunTrainer(scheduled, {.signal = SIGTERM, .signal_at = "validating after step 4"}).exit_code, 130);
  longer = Resumed(scheduled);
  longer.insert(longer.end(), {"--steps", "12"});
  const ProgramResult refused = RunTrainer(longer);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("its number of steps is 8, not 12, and the temperature or the learning rates"));
}

}  // namespace
}  // namespace genoserve
