// Sweeps: their grid, their table, and whole ones through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "trainer/sweep_grid.h"
#include "trainer/sweep_table.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::TrainConfig GridConfig(const std::vector<std::pair<std::string, std::vector<std::string>>>& axes) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  config.mutable_input()->set_vcf("a.vcf");
  config.mutable_output()->set_store("store");
  config.mutable_output()->set_model("tiny");
  for (const auto& [field, values] : axes) {
    v1::SweepAxis& axis = *config.add_sweep();
    axis.set_field(field);
    for (const std::string& value : values) axis.add_values(value);
  }
  FillDefaults(config);
  return config;
}

TEST(SweepGridTest, HasEveryCombinationTheLastAxisFastest) {
  const auto grid = SweepGrid(GridConfig(
      {{"recipe.batch_size", {"16", "32"}}, {"schedule.seed", {"1", "2", "3"}}, {"recipe.optimizer", {"adamw"}}}));
  ASSERT_TRUE(grid.ok()) << grid.status();
  ASSERT_EQ(grid->size(), 6);
  EXPECT_THAT(grid->at(1).values, ElementsAre("16", "2", "adamw"));
  EXPECT_EQ(grid->at(1).config.recipe().batch_size(), 16);
  EXPECT_EQ(grid->at(1).config.schedule().seed(), 2);
  EXPECT_EQ(grid->at(5).config.recipe().batch_size(), 32);
  EXPECT_EQ(grid->at(5).config.recipe().optimizer(), "adamw");
  EXPECT_EQ(grid->at(5).config.sweep_size(), 0);
}

TEST(SweepGridTest, AxesThatCannotBeUsedAreRefused) {
  const auto refusal = [](const v1::TrainConfig& config) {
    const auto grid = SweepGrid(config);
    EXPECT_TRUE(absl::IsInvalidArgument(grid.status()));
    return std::string(grid.status().message());
  };
  EXPECT_THAT(refusal(GridConfig({})), HasSubstr("nothing to sweep"));
  EXPECT_THAT(refusal(GridConfig({{"recipe.batch_sise", {"1"}}})), HasSubstr("did you mean batch_size?"));
  EXPECT_THAT(refusal(GridConfig({{"recipe", {"1"}}})), HasSubstr("is a group of fields"));
  EXPECT_THAT(refusal(GridConfig({{"recipe.batch_size.x", {"1"}}})), HasSubstr("is no path of a value"));
  EXPECT_THAT(refusal(GridConfig({{"recipe.batch_size", {"many"}}})),
              HasSubstr("recipe.batch_size: \"many\" is not a whole number"));
  EXPECT_THAT(refusal(GridConfig({{"recipe.calibrate", {"yes"}}})), HasSubstr("\"yes\" is not true or false"));
  EXPECT_THAT(refusal(GridConfig({{"recipe.batch_size", {}}})), HasSubstr("has no values"));
  EXPECT_THAT(refusal(GridConfig({{"schedule.seed", {"1", "1"}}})), HasSubstr("has a value twice"));
  EXPECT_THAT(refusal(GridConfig({{"schedule.seed", {"1"}}, {"schedule.seed", {"2"}}})), HasSubstr("is there twice"));
  EXPECT_THAT(refusal(GridConfig({{"output.store", {"a", "b"}}})), HasSubstr("makes another generator"));
  EXPECT_THAT(refusal(GridConfig({{"schedule.device", {"cpu", "tpu"}}})), HasSubstr("auto, cpu or cuda"));
  std::vector<std::string> seeds;
  seeds.reserve(64);
  for (int i = 0; i < 64; ++i) seeds.push_back(absl::StrCat(i));
  EXPECT_TRUE(SweepGrid(GridConfig({{"schedule.seed", seeds}})).ok());
  EXPECT_THAT(refusal(GridConfig({{"schedule.seed", seeds}, {"recipe.batch_size", {"16", "32"}}})),
              HasSubstr("at most 64 runs"));
}

SweepRow Row(const std::string& run, double score) {
  SweepRow row;
  row.run = run;
  row.values = {"1"};
  row.score = score;
  row.manifest.emplace();
  row.manifest->mutable_training()->set_steps(100);
  row.manifest->mutable_training()->set_seconds(12.3);
  for (const auto& [label, value] : std::vector<std::pair<std::string, double>>{{"distance", 0.51}, {"homer", 0.62}}) {
    v1::Figure& figure = *row.manifest->add_figures();
    figure.set_name("mia.auc");
    figure.set_label(label);
    figure.set_value(value);
  }
  return row;
}

TEST(SweepTableTest, BestFirstAndWhatMadeNothingLast) {
  SweepRow failed;
  failed.run = "d";
  failed.values = {"9"};
  failed.note = "exit\tcode 7";
  std::vector<SweepRow> rows = {failed, Row("a", -1.5), Row("b", 0.8)};
  rows[2].manifest->mutable_gate()->set_passed(true);
  SortByScore(rows);
  EXPECT_EQ(
      SweepTsv({"schedule.seed"}, rows),
      "run\tschedule.seed\tsteps\tseconds\tscore\taf.rmse\tld.strong_r2_kept\tcover.f1\tprivacy.aa\tprivacy.loss\t"
      "mia.auc\tgate\tnote\n"
      "b\t1\t100\t12\t0.8000\t\t\t\t\t\t0.6200\tpassed\t\n"
      "a\t1\t100\t12\t-1.5000\t\t\t\t\t\t0.6200\tbroken\t\n"
      "d\t9\t\t\t\t\t\t\t\t\t\t\texit code 7\n");
  const std::vector<std::string> lines = absl::StrSplit(SweepText({"schedule.seed"}, rows), '\n');
  ASSERT_EQ(lines.size(), 5);
  EXPECT_EQ(lines[0].find("score"), lines[1].find("0.8000"));
  EXPECT_EQ(lines[0].find("note"), lines[3].find("exit code 7"));
}

class SweepTest : public testing::Test {
 protected:
  SweepTest() : data_(testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  // Arguments of a sweep of short trainings.
  std::vector<std::string> Sweep(const std::string& axes, const std::vector<std::string>& more = {}) const {
    const std::string file =
        data_.Write("sweep.txtpb", absl::StrCat("arch: 'wgan-gp'\n"
                                                "input { vcf: '",
                                                data_.Path("real.vcf"), "' pheno: '", data_.Path("pheno.tsv"),
                                                "' pheno_names: 'weight' }\n"
                                                "recipe { batch_size: 16 }\n"
                                                "schedule { steps: 3 device: 'cpu' validations: 1 }\n"
                                                "output { store: '",
                                                data_.Path("store"), "' create_store: true model: 'tiny' gate: '",
                                                data_.Path("mild.gate"), "' }\n", axes));
    std::vector<std::string> arguments = {"sweep", "--config", file, "--out", data_.Path("runs")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string Read(const std::string& name) const {
    return FileSystem::Posix().ReadFile(data_.Path(name), 1 << 20).value_or("");
  }

  TestData data_;
};

TEST_F(SweepTest, RunsTheGridOnceAndPublishesTheBestWhenTold) {
  const std::string axes =
      "sweep { field: 'recipe.critic_learning_rate' values: ['1e-4', '5'] }\n"
      "sweep { field: 'schedule.seed' values: '3' }\n";
  const ProgramResult first = RunTrainer(Sweep(axes));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_THAT(first.err, AllOf(HasSubstr("run 1 of 2, recipe.critic_learning_rate=1e-4 schedule.seed=3"),
                               HasSubstr("exit code 2: "), HasSubstr("critic_learning_rate")))
      << "a run that cannot be done does not end the sweep";
  const std::vector<std::string> lines = absl::StrSplit(Read("runs/sweep.tsv"), '\n');
  ASSERT_EQ(lines.size(), 4);
  EXPECT_THAT(lines[1], AllOf(HasSubstr("\t1e-4\t3\t3\t"), HasSubstr("\tpassed\t")));
  EXPECT_THAT(lines[2], AllOf(HasSubstr("\t5\t3\t"), HasSubstr("exit code 2: ")));
  EXPECT_THAT(first.out, HasSubstr("recipe.critic_learning_rate"));
  EXPECT_THAT(data_.FilesUnder("store"), IsEmpty());

  const ProgramResult again = RunTrainer(Sweep(axes, {"--publish-best"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.err, AllOf(HasSubstr("is finished already"), HasSubstr("run 2 of 2")));
  EXPECT_THAT(again.out, HasSubstr("published tiny version 1 digest "));
  const auto store = OpenStore(data_.Path("store"), false);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto artifact = ReadArtifact(**store, "tiny", 1);
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  EXPECT_TRUE(artifact->manifest.gate().passed());
  EXPECT_FALSE(artifact->manifest.gate().published_anyway());
  EXPECT_THAT(data_.FilesUnder("store"), testing::Contains("tiny/1/quality.json"));

  const ProgramResult third = RunTrainer(Sweep(axes, {"--publish-best"}));
  EXPECT_EQ(third.exit_code, 0) << third.err;
  EXPECT_THAT(third.out, AllOf(HasSubstr("version 1 of tiny already"), Not(HasSubstr("published"))));
}

TEST_F(SweepTest, WhatBreaksTheGateIsNotTheBest) {
  data_.Write("mild.gate", "limits { figure: 'af.pearson' minimum: 1.5 }");
  const ProgramResult result = RunTrainer(Sweep("sweep { field: 'schedule.seed' values: '3' }", {"--publish-best"}));
  EXPECT_EQ(result.exit_code, 7) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no run of the sweep passed the gate"));
  EXPECT_THAT(result.out, HasSubstr("broken"));
  EXPECT_THAT(data_.FilesUnder("store"), IsEmpty());
}

TEST_F(SweepTest, AnInterruptEndsTheRunAndTheSweep) {
  const std::string axes = "sweep { field: 'schedule.seed' values: ['3', '4'] }";
  const ProgramResult stopped = RunTrainer(Sweep(axes), {.interrupted = true});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("run 1 of 2"), Not(HasSubstr("run 2 of 2"))));
  const ProgramResult resumed = RunTrainer(Sweep(axes));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(Read("runs/sweep.tsv"), '\n')).size(), 4);
}

}  // namespace
}  // namespace genoserve
