// Configurations by file and by flags, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "trainer/config_file.h"
#include "trainer/sweep_grid.h"
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
using ::testing::StartsWith;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() : data_(testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  // Writes a configuration that is whole, with more lines.
  std::string File(const std::string& more) const {
    return data_.Write("run.txtpb",
                       "arch: 'wgan-gp'\n"
                       "input { vcf: 'real.vcf' pheno: 'pheno.tsv' pheno_names: ['weight', 'colour'] }\n"
                       "schedule { seed: 7 steps: 50 quick: true }\n"
                       "output { store: 'store' model: 'tiny' nudge: 'localhost:1' }\n" +
                           more);
  }
  // What `config` prints, read again.
  v1::TrainConfig Effective(const std::vector<std::string>& flags) const {
    std::vector<std::string> arguments = {"config"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProgramResult result = RunTrainer(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const auto config = ReadConfigFile(data_.Write("printed.txtpb", result.out));
    EXPECT_TRUE(config.ok()) << config.status();
    return config.value_or(v1::TrainConfig());
  }
  // What it complains of.
  std::string Refusal(const std::vector<std::string>& flags) const {
    std::vector<std::string> arguments = {"config"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    const ProgramResult result = RunTrainer(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.out;
    EXPECT_THAT(result.out, IsEmpty());
    return result.err;
  }

  // What is wrong with a file of this text.
  std::string FileRefusal(const std::string& text) const {
    absl::StatusOr<v1::TrainConfig> config = ReadConfigFile(data_.Write("refused.txtpb", text));
    if (config.ok()) FillDefaults(*config);
    const absl::Status status = config.ok() ? CheckTrainConfig(*config) : config.status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }

  TestData data_;
};

TEST_F(ConfigTest, FlagsWinOverTheFileFieldByField) {
  const std::string file = File("recipe { average_decay: 0 batch_size: 16 }");
  const v1::TrainConfig config = Effective({"--config", file});
  EXPECT_EQ(config.schedule().seed(), 7);
  EXPECT_THAT(config.input().pheno_names(), ElementsAre("weight", "colour"));
  EXPECT_TRUE(config.recipe().has_average_decay()) << "0 is a setting";
  EXPECT_EQ(config.input().holdout_share(), 0.2) << "the defaults are filled in";

  const v1::TrainConfig changed = Effective({"--seed", "0", "--pheno-name", "weight", "--config", file, "--quick=false",
                                             "--batch-size", "32", "--nudge", "a:1,b:2"});
  EXPECT_EQ(changed.schedule().seed(), 0);
  EXPECT_FALSE(changed.schedule().quick());
  EXPECT_EQ(changed.schedule().steps(), 50);
  EXPECT_EQ(changed.recipe().batch_size(), 32);
  EXPECT_TRUE(changed.recipe().has_average_decay());
  EXPECT_THAT(changed.input().pheno_names(), ElementsAre("weight")) << "a list replaces the list";
  EXPECT_THAT(changed.output().nudge(), ElementsAre("a:1", "b:2"));
}

TEST_F(ConfigTest, WhatIsPrintedIsReadAsTheSame) {
  const std::vector<std::string> flags = {"--arch",         "acgan", "--vcf",   "x \"y\".vcf", "--panel", "p",
                                          "--label-column", "pop",   "--store", "é",           "--model", "m"};
  const ProgramResult once = RunTrainer([&] {
    std::vector<std::string> all = {"config"};
    all.insert(all.end(), flags.begin(), flags.end());
    return all;
  }());
  ASSERT_EQ(once.exit_code, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("é"));
  const ProgramResult twice = RunTrainer({"config", "--config", data_.Write("once.txtpb", once.out)});
  EXPECT_EQ(twice.out, once.out);
}

TEST_F(ConfigTest, ErrorsOfTheFileTellPlaceFieldAndNearestName) {
  const auto refusal = [this](const std::string& more) {
    return std::string(ReadConfigFile(File(more)).status().message());
  };
  EXPECT_THAT(Refusal({"--config", File("colour: 3")}), HasSubstr("run.txtpb:5:7: there is no field \"colour\""));
  EXPECT_THAT(refusal("recipe {\n  batch_sise: 3\n}"),
              AllOf(HasSubstr("run.txtpb:6:13: "), HasSubstr("no field \"batch_sise\" in TrainingRecipe"),
                    HasSubstr("did you mean batch_size?")));
  EXPECT_THAT(refusal("recipe { batch_size: 'many' }"),
              AllOf(HasSubstr("run.txtpb:5:22: batch_size: "), HasSubstr("Expected integer")));
  EXPECT_THAT(refusal("recipe { calibrate: maybe }"),
              AllOf(HasSubstr("run.txtpb:5:27: "), HasSubstr("field \"calibrate\"")));
  EXPECT_THAT(refusal("arch: 'acgan'"),
              AllOf(HasSubstr("run.txtpb:5:5: "), HasSubstr("\"arch\" is specified multiple times")));
  EXPECT_THAT(refusal("recipe { "), HasSubstr("run.txtpb:5:"));
  EXPECT_THAT(refusal("colour: 3"), AllOf(HasSubstr("no field \"colour\" in TrainConfig"), HasSubstr("arch, input")));
  EXPECT_EQ(RunTrainer({"config", "--config", data_.Path("none.txtpb")}).exit_code, 3);
}

TEST_F(ConfigTest, AllSettingsThatCannotBeUsedAreToldAtOnce) {
  const std::string told = Refusal({"--arch", "vae", "--vcf", "a", "--bfile", "b", "--holdout", "0.9", "--device",
                                    "tpu", "--patience", "-1", "--max-seconds", "inf", "--metrics-port", "70000"});
  EXPECT_THAT(told, AllOf(HasSubstr("there is no --arch \"vae\""), HasSubstr("one of --vcf, --bfile and --hapt"),
                          HasSubstr("--holdout must be"), HasSubstr("auto, cpu or cuda"), HasSubstr("--patience"),
                          HasSubstr("--max-seconds"), HasSubstr("--metrics-port"), HasSubstr("--store is needed")));
  EXPECT_THAT(Refusal({"--config", File("recipe { preset: 'acgan' }")}), HasSubstr("recipe.preset is \"acgan\""));
  EXPECT_THAT(Refusal({"--seed", "-1"}), HasSubstr("--seed: schedule.seed: \"-1\" is not a whole number from 0"));
}

TEST_F(ConfigTest, SizesThatCannotBeUsedAreToldWithTheirFieldAndRange) {
  const auto refusal = [this](const std::string& arch, const std::string& sizes) {
    return FileRefusal(absl::StrCat("arch: '", arch, "' input { vcf: 'a' ",
                                    arch == "acgan" ? "panel: 'b' label_column: 'c'" : "pheno: 'b' pheno_names: 'c'",
                                    " } output { store: 's' model: 'm' } ", sizes));
  };
  EXPECT_THAT(refusal("acgan", "acgan { latent_size: -3 }"),
              HasSubstr("acgan.latent_size is -3; it must be 1 to 4194304"));
  EXPECT_THAT(refusal("acgan", "acgan { hidden_sizes: [8, 0] }"),
              HasSubstr("acgan.hidden_sizes is 0; it must be 1 to"));
  EXPECT_THAT(refusal("acgan", "acgan { rank: 0 }"), HasSubstr("acgan.latent_skip needs a rank layer, rank is 0"));
  EXPECT_THAT(refusal("wgan-gp", "wgan_gp { leaky_slope: 1.5 }"),
              HasSubstr("wgan_gp.leaky_slope is 1.5; it must be 0 to 1"));
  EXPECT_THAT(refusal("wgan-gp", "wgan_gp { condition_size: 1 }"),
              HasSubstr("follows from the phenotypes; leave it out"));
  EXPECT_THAT(refusal("wgan-gp", "acgan { rank: 4 }"),
              HasSubstr("acgan holds settings of another arch than \"wgan-gp\""));
  EXPECT_THAT(refusal("chain", "chain { kept_context: 0 }"),
              HasSubstr("chain.kept_context is 0; it must be 1 to 1048576"));
  EXPECT_THAT(refusal("chain", "schedule { steps: 10 }"), AllOf(HasSubstr("--steps"), HasSubstr("not for arch chain")));
  EXPECT_THAT(refusal("wgan-gp", "wgan_gp { latent_sise: 3 }"),
              AllOf(HasSubstr("no field \"latent_sise\" in WganGpSpec"), HasSubstr("did you mean latent_size?")));
}

TEST_F(ConfigTest, SizesArePrinted) {
  const v1::TrainConfig config =
      Effective({"--config", File("wgan_gp { rank: 0 latent_skip: false hidden_sizes: 7 }")});
  EXPECT_TRUE(config.wgan_gp().has_rank()) << "0 is a setting";
  EXPECT_THAT(config.wgan_gp().hidden_sizes(), ElementsAre(7));
}

v1::Manifest DiploidManifest() {
  v1::Manifest manifest;
  manifest.set_variant_count(40);
  manifest.set_ploidy(2);
  v1::PhenotypeSchema& phenotype = *manifest.add_phenotypes();
  phenotype.set_name("weight");
  phenotype.mutable_continuous()->set_standard_deviation(1);
  return manifest;
}

TEST(FillManifestTest, FieldsThatAreSetReplaceThoseOfThePreset) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  v1::Manifest preset = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, preset).ok());
  v1::TrainingRecipe& given = *config.mutable_recipe();
  given.set_critic_steps(7);
  given.set_calibrate(false);
  given.set_average_decay(0);
  given.set_spectral_norm(false);
  given.add_critic_hidden_sizes(9);
  v1::Manifest changed = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, changed).ok());
  v1::TrainingRecipe expected = preset.training().recipe();
  EXPECT_TRUE(expected.calibrate());
  expected.set_critic_steps(7);
  expected.clear_calibrate();
  expected.clear_average_decay();
  expected.clear_critic_hidden_sizes();
  expected.add_critic_hidden_sizes(9);
  EXPECT_EQ(changed.training().recipe().DebugString(), expected.DebugString());
}

TEST(FillManifestTest, SizesThatAreSetReplaceThoseOfThePreset) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  v1::Manifest preset = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, preset).ok());
  config.mutable_wgan_gp()->set_latent_size(5);
  config.mutable_wgan_gp()->set_rank(0);
  config.mutable_wgan_gp()->set_latent_skip(false);
  config.mutable_wgan_gp()->add_hidden_sizes(9);
  v1::Manifest changed = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, changed).ok());
  v1::WganGpSpec expected = preset.generator().wgan_gp();
  EXPECT_GT(expected.rank(), 0);
  expected.set_latent_size(5);
  expected.clear_rank();
  expected.clear_latent_skip();
  expected.clear_hidden_sizes();
  expected.add_hidden_sizes(9);
  EXPECT_EQ(changed.generator().wgan_gp().DebugString(), expected.DebugString());
}

TEST(ArtifactConfigTest, ReadAgainItMakesTheSameGenerator) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  config.mutable_recipe()->set_calibrate(false);
  config.mutable_recipe()->set_start_from_data(false);
  config.mutable_recipe()->add_critic_hidden_sizes(3);
  config.mutable_wgan_gp()->set_rank(0);
  config.mutable_wgan_gp()->set_latent_skip(false);
  v1::Manifest manifest = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, manifest).ok());
  const TestData data("again");
  const auto again = ReadConfigFile(data.Write("train.txtpb", ArtifactConfigText(config, manifest)));
  ASSERT_TRUE(again.ok()) << again.status();
  v1::Manifest twice = DiploidManifest();
  ASSERT_TRUE(FillManifest(*again, twice).ok());
  EXPECT_EQ(twice.DebugString(), manifest.DebugString());
}

TEST(ArtifactConfigTest, TellsTheRunWithoutFoldersServersAndSweeps) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  config.mutable_input()->set_bfile("/home/somebody/mice");
  config.mutable_output()->set_store("/srv/store/");
  config.mutable_output()->add_nudge("inside.example.org:50051");
  config.mutable_output()->mutable_nudge_access()->set_token_file("/etc/token");
  config.add_sweep()->set_field("schedule.seed");
  v1::Manifest manifest = DiploidManifest();
  ASSERT_TRUE(FillManifest(config, manifest).ok());
  manifest.mutable_training()->set_steps(1000);
  const std::string text = ArtifactConfigText(config, manifest);
  EXPECT_THAT(text, StartsWith("# "));
  EXPECT_THAT(text, AllOf(HasSubstr("bfile: \"mice\""), HasSubstr("store: \"store\""), HasSubstr("critic_steps: 3"),
                          HasSubstr("steps: 1000")));
  EXPECT_THAT(text, Not(AnyOf(HasSubstr("/home"), HasSubstr("/srv"), HasSubstr("example.org"), HasSubstr("token"),
                              HasSubstr("sweep"))));
}

TEST(ConfigDigestTest, CountsWhatTheWeightsDependOn) {
  v1::TrainConfig config;
  config.set_arch("wgan-gp");
  config.mutable_input()->set_vcf("/data/a.vcf");
  const auto digest = [](const v1::TrainConfig& of) {
    v1::Manifest manifest = DiploidManifest();
    EXPECT_TRUE(FillManifest(of, manifest).ok());
    return ConfigDigest(of, manifest);
  };
  v1::TrainConfig same = config;
  same.mutable_input()->set_vcf("/elsewhere/b.vcf");
  same.mutable_output()->set_model("other");
  same.mutable_schedule()->set_metrics_port(9090);
  same.mutable_recipe()->set_critic_steps(3);  // what the preset has
  EXPECT_EQ(digest(same), digest(config));
  const std::vector<std::function<void(v1::TrainConfig&)>> changes = {
      [](v1::TrainConfig& of) { of.mutable_recipe()->set_calibrate(false); },
      [](v1::TrainConfig& of) { of.mutable_wgan_gp()->set_latent_size(3); },
      [](v1::TrainConfig& of) { of.mutable_schedule()->set_seed(1); },
      [](v1::TrainConfig& of) { of.mutable_schedule()->set_steps(9); },
      [](v1::TrainConfig& of) { of.mutable_input()->set_holdout_share(0.3); },
      [](v1::TrainConfig& of) { of.mutable_input()->set_panel("p"); },
  };
  for (const auto& change : changes) {
    v1::TrainConfig changed = config;
    change(changed);
    EXPECT_NE(digest(changed), digest(config)) << changed.DebugString();
  }
}

// The names of all fields of a message and of those in it.
void CollectFields(const google::protobuf::Descriptor& message, std::set<std::string>& names) {
  for (int i = 0; i < message.field_count(); ++i) {
    names.insert(message.field(i)->name());
    if (message.field(i)->message_type() != nullptr) CollectFields(*message.field(i)->message_type(), names);
  }
}

TEST(ConfigPageTest, ItsExampleIsReadAndHasEveryField) {
  const auto page = FileSystem::Posix().ReadFile("docs/training-config.md", 1 << 20);
  ASSERT_TRUE(page.ok()) << page.status();
  const std::vector<std::string> parts = absl::StrSplit(*page, "```");
  ASSERT_EQ(parts.size(), 3);
  std::string example = parts[1];
  ASSERT_TRUE(absl::StartsWith(example, "textproto\n"));
  example.erase(0, example.find('\n'));
  std::set<std::string> names;
  CollectFields(*v1::TrainConfig::descriptor(), names);
  for (const std::string& name : names) {
    EXPECT_TRUE(absl::StrContains(example, name + ":") || absl::StrContains(example, name + " {")) << name;
  }
  const TestData data("page");
  auto config = ReadConfigFile(data.Write("example.txtpb", example));
  ASSERT_TRUE(config.ok()) << config.status();
  FillDefaults(*config);
  EXPECT_TRUE(CheckTrainConfig(*config).ok()) << CheckTrainConfig(*config);
  const auto grid = SweepGrid(*config);
  ASSERT_TRUE(grid.ok()) << grid.status();
  EXPECT_EQ(grid->size(), 6);
  v1::Manifest manifest = DiploidManifest();
  EXPECT_TRUE(FillManifest(*config, manifest).ok());
}

TEST(CheckpointPathTest, LiesBesideTheModelsOfAFolderAndNotInABucket) {
  v1::TrainConfig config;
  config.mutable_output()->set_model("five");
  config.mutable_output()->set_store("models");
  EXPECT_EQ(CheckpointPath(config), "models/.checkpoints/five.ckpt");
  config.mutable_output()->set_store("s3://bucket/models?region=x");
  EXPECT_EQ(CheckpointPath(config), ".checkpoints/five.ckpt");
  config.mutable_schedule()->set_checkpoint("elsewhere");
  EXPECT_EQ(CheckpointPath(config), "elsewhere");
}

}  // namespace
}  // namespace genoserve
