// The train command through the real program, on data simulated here.
#include "trainer/train_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/artifact/allele_frequencies.h"
#include "core/artifact/artifact.h"
#include "core/model/generator.h"
#include "core/quality/allele_frequency.h"
#include "core/store/checkpoint_store.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class TrainTest : public testing::Test {
 protected:
  TrainTest() : data_(testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  // Arguments of a short acgan training; `more` is appended.
  std::vector<std::string> Acgan(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = data_.AcganArguments("store", 8, 1);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  // The same with one value replaced.
  static std::vector<std::string> With(std::vector<std::string> arguments, const std::string& option,
                                       const std::string& value) {
    for (size_t i = 0; i + 1 < arguments.size(); ++i) {
      if (arguments[i] == option) arguments[i + 1] = value;
    }
    return arguments;
  }

  Artifact Published(const std::string& store, int64_t version) const {
    const auto opened = OpenStore(data_.Path(store), false);
    EXPECT_TRUE(opened.ok()) << opened.status();
    absl::StatusOr<Artifact> artifact = ReadArtifact(**opened, "tiny", version);
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    return artifact.ok() ? *std::move(artifact) : Artifact();
  }

  TestData data_;
};

const v1::Figure* FindFigure(const v1::Manifest& manifest, const std::string& name, const std::string& label) {
  for (const v1::Figure& figure : manifest.figures()) {
    if (figure.name() == name && figure.label() == label) return &figure;
  }
  return nullptr;
}

std::string WeightsDigest(const v1::Manifest& manifest) {
  for (const v1::ArtifactFile& file : manifest.files()) {
    if (file.name() == kWeightsFile) return file.sha256();
  }
  return "";
}

// Allele frequencies among 1,000 samples of a generator of two labels that were trained on alike.
std::vector<double> FrequenciesOf(const Artifact& artifact) {
  constexpr size_t kTile = 100;
  const auto generator = MakeGenerator(artifact.manifest, artifact.weights, {}).value();
  GenotypeMatrix rows(generator->packing(), kTile * RowsPerSample(generator->packing()), generator->variant_count());
  std::vector<double> sums(generator->variant_count());
  for (uint64_t first = 0; first < 10 * kTile; first += kTile) {
    std::vector<SampleSpec> samples(kTile);
    for (size_t i = 0; i < kTile; ++i) samples[i] = {99, first + i, static_cast<int>(i % 2), {}};
    EXPECT_TRUE(generator->Generate(samples, {}, rows).ok());
    const std::vector<double> frequencies = AlleleFrequencies(rows);
    for (size_t v = 0; v < sums.size(); ++v) sums[v] += frequencies[v] / 10;
  }
  return sums;
}

TEST_F(TrainTest, PublishesAGeneratorWithItsFigures) {
  const ProgramResult result =
      RunTrainer(Acgan({"--seed", "3", "--licence", "CC0-1.0", "--data-terms", "simulated", "--description", "tiny"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("160 samples, 40 more kept apart to judge by, 40 variants, 2 labels of pop"));
  EXPECT_THAT(result.out, AllOf(HasSubstr("north"), HasSubstr("south"), HasSubstr("published tiny version 1 digest ")));
  const Artifact artifact = Published("store", 1);
  EXPECT_THAT(result.out, HasSubstr(artifact.digest));
  const v1::Manifest& manifest = artifact.manifest;
  EXPECT_EQ(manifest.label_column(), "pop");
  EXPECT_EQ(manifest.labels(1).training_samples(), 80);
  EXPECT_EQ(manifest.training().steps(), 8);
  EXPECT_EQ(manifest.training().seed(), 3);
  EXPECT_EQ(manifest.training().recipe().batch_size(), 32);
  EXPECT_EQ(manifest.training().data_digest().size(), 64);
  EXPECT_FALSE(manifest.training().finished_at().empty());
  EXPECT_EQ(manifest.licence(), "CC0-1.0");
  EXPECT_EQ(manifest.data_terms(), "simulated");
  const v1::Figure* pearson = FindFigure(manifest, "af.pearson", "");
  ASSERT_NE(pearson, nullptr);
  EXPECT_EQ(pearson->minimum(), 0.5);
  EXPECT_GT(pearson->value(), pearson->floor().value() - 0.05);
  EXPECT_EQ(pearson->n(), TestData::kVariants);
  EXPECT_TRUE(manifest.gate().passed());
  // What a server will find in samples of its own.
  const std::vector<double> told = DecodeAlleleFrequencies(manifest.allele_frequencies());
  const std::vector<double> found = FrequenciesOf(artifact);
  ASSERT_EQ(told.size(), found.size());
  double squares = 0;
  for (size_t i = 0; i < told.size(); ++i) squares += (told[i] - found[i]) * (told[i] - found[i]);
  EXPECT_LT(std::sqrt(squares / static_cast<double>(told.size())), 0.06);
  EXPECT_EQ(manifest.training().holdout_samples(), 40);
  EXPECT_NE(FindFigure(manifest, "af.rmse", "south"), nullptr);
  EXPECT_NE(FindFigure(manifest, "mia.auc", "distance"), nullptr);
  EXPECT_THAT(data_.FilesUnder("store"),
              ElementsAre("tiny/1/manifest.json", "tiny/1/quality.json", "tiny/1/report.html", "tiny/1/train.txtpb",
                          "tiny/1/variants.vcf", "tiny/1/weights.safetensors"))
      << "no checkpoint and no temporary file is left";
}

TEST_F(TrainTest, DiploidGenotypesByPhenotypes) {
  const ProgramResult result = RunTrainer({"train",
                                           "--arch",
                                           "wgan-gp",
                                           "--vcf",
                                           data_.Path("real.vcf"),
                                           "--pheno",
                                           data_.Path("pheno.tsv"),
                                           "--pheno-name",
                                           "weight,colour",
                                           "--store",
                                           data_.Path("store"),
                                           "--create-store",
                                           "--model",
                                           "tiny",
                                           "--device",
                                           "cpu",
                                           "--steps",
                                           "4",
                                           "--batch-size",
                                           "16",
                                           "--gate",
                                           data_.Path("mild.gate")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Artifact artifact = Published("store", 1);
  EXPECT_FALSE(artifact.manifest.phased());
  ASSERT_EQ(artifact.manifest.phenotypes_size(), 2);
  EXPECT_EQ(artifact.manifest.phenotypes(0).name(), "weight");
  EXPECT_NE(FindFigure(artifact.manifest, "use.request_r", "weight"), nullptr);
  EXPECT_NE(FindFigure(artifact.manifest, "use.request_recovered", "colour"), nullptr);
}

TEST_F(TrainTest, AnInterruptedTrainingGoesOnToTheSameWeights) {
  ASSERT_EQ(RunTrainer(With(Acgan(), "--store", data_.Path("whole"))).exit_code, 0);
  const ProgramResult stopped = RunTrainer(Acgan(), {.interrupted = true});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("tiny.ckpt"), HasSubstr("--resume")));
  EXPECT_THAT(data_.FilesUnder("store"), ElementsAre(".checkpoints/tiny.ckpt"));

  const ProgramResult forgotten = RunTrainer(Acgan());
  EXPECT_EQ(forgotten.exit_code, 2);
  EXPECT_THAT(forgotten.err, HasSubstr("holds an unfinished training"));
  const ProgramResult other = RunTrainer(Acgan({"--resume", "--seed", "9"}));
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("its seed is 0, not 9"));

  const ProgramResult resumed = RunTrainer(Acgan({"--resume"}));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, HasSubstr("going on from"));
  EXPECT_EQ(WeightsDigest(Published("store", 1).manifest), WeightsDigest(Published("whole", 1).manifest));
  EXPECT_EQ(data_.FilesUnder("store").size(), 6) << "the checkpoint is gone";
}

TEST_F(TrainTest, ResumeWithoutACheckpointBegins) {
  const ProgramResult result = RunTrainer(Acgan({"--resume"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("there is no checkpoint"));
}

TEST_F(TrainTest, ADamagedCheckpointIsRefused) {
  const std::string checkpoint = data_.Write("run.ckpt", "GSCKPT02 and nothing more");
  const ProgramResult result = RunTrainer(Acgan({"--resume", "--checkpoint", checkpoint}));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(result.err, HasSubstr("run.ckpt: the checkpoint is damaged or not whole"));
}

TEST_F(TrainTest, AGeneratorThatIsNotGoodEnoughIsPublishedOnlyIfToldSo) {
  const std::vector<std::string> arguments =
      With(With(With(Acgan(), "--arch", "acgan-paper"), "--steps", "1"), "--gate", "default");
  const ProgramResult result = RunTrainer(arguments);
  EXPECT_EQ(result.exit_code, 7) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("not good enough to publish"), HasSubstr("limits of the gate default are broken"),
                    HasSubstr("tiny.ckpt.report.html"), HasSubstr("--resume --publish-anyway")));
  EXPECT_THAT(result.out, HasSubstr("allele frequencies are off"));
  EXPECT_THAT(data_.FilesUnder("store"), ElementsAre(".checkpoints/tiny.ckpt", ".checkpoints/tiny.ckpt.report.html"));

  std::vector<std::string> anyway = arguments;
  anyway.insert(anyway.end(), {"--resume", "--publish-anyway"});
  const ProgramResult published = RunTrainer(anyway);
  ASSERT_EQ(published.exit_code, 0) << published.err;
  const v1::GateResult gate = Published("store", 1).manifest.gate();
  EXPECT_FALSE(gate.passed());
  EXPECT_TRUE(gate.published_anyway());
  EXPECT_GT(gate.breaches_size(), 0);
  EXPECT_EQ(data_.FilesUnder("store").size(), 6) << "checkpoint and page are gone";
}

TEST_F(TrainTest, AChainIsMadeAgainFromACheckpointWithoutACopyOfIt) {
  data_.Write("hard.gate", "limits { figure: 'af.pearson' minimum: 1.5 }");
  const std::vector<std::string> arguments = {"train",
                                              "--arch",
                                              "chain",
                                              "--vcf",
                                              data_.Path("real.vcf"),
                                              "--panel",
                                              data_.Path("panel.tsv"),
                                              "--label-column",
                                              "pop",
                                              "--create-store",
                                              "--model",
                                              "tiny",
                                              "--gate",
                                              data_.Path("hard.gate")};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = arguments;
    all.insert(all.end(), more.begin(), more.end());
    return RunTrainer(all);
  };
  ASSERT_EQ(with({"--store", data_.Path("whole"), "--publish-anyway"}).exit_code, 0);
  ASSERT_EQ(with({"--store", data_.Path("store")}).exit_code, 7);
  EXPECT_LT(std::filesystem::file_size(data_.Path("store/.checkpoints/tiny.ckpt")), 4096);
  const ProgramResult published = with({"--store", data_.Path("store"), "--resume", "--publish-anyway"});
  ASSERT_EQ(published.exit_code, 0) << published.err;
  EXPECT_THAT(published.err, Not(HasSubstr("validating after step"))) << "it was whole";
  EXPECT_EQ(WeightsDigest(Published("store", 1).manifest), WeightsDigest(Published("whole", 1).manifest));
}

TEST_F(TrainTest, AFullDiskLeavesNothingBehind) {
  const ProgramResult result = RunTrainer(Acgan(), {.largest_file = 8192});
  EXPECT_EQ(result.exit_code, 5) << result.err;
  EXPECT_THAT(result.err, HasSubstr("weights.safetensors"));
  EXPECT_TRUE(std::filesystem::is_empty(data_.Path("store"))) << "not even a folder";
}

TEST_F(TrainTest, BadInputIsToldInOneSentence) {
  const auto expect = [](const std::vector<std::string>& arguments, int exit_code, const std::string& message) {
    const ProgramResult result = RunTrainer(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, HasSubstr(message));
    EXPECT_THAT(result.out, IsEmpty());
  };
  const std::string file = data_.Write("file", "");
  expect(With(Acgan(), "--arch", "vae"), 2, "there is no --arch \"vae\"; there are chain, acgan, acgan-paper, wgan-gp");
  expect({"trian"}, 2, "unknown argument trian; did you mean train?");
  expect({"train"}, 2, "--arch is needed; there are chain,");
  expect(Acgan({"--sede", "9"}), 2, "unknown argument --sede; did you mean --seed?");
  expect(Acgan({"--model", "other"}), 2, "--model: takes one value, and was given 2");
  expect(Acgan({"--checkpoint", data_.Path("")}), 2, "is a folder; name a file");
  expect(With(Acgan(), "--steps", "0"), 2, "\"0\" is not a whole number from 1");
  expect(With(Acgan(), "--device", "tpu"), 2, "auto, cpu or cuda");
  expect(With(Acgan(), "--model", "../x"), 2, "../x");
  expect(Acgan({"--bfile", "x"}), 2, "one of --vcf, --bfile and --hapt");
  expect(With(Acgan(), "--store", file), 2, "is not a folder");
  expect(With(Acgan(), "--store", file + "/store"), 2, file + "/store");
  expect(With(Acgan(), "--vcf", data_.Path("none.vcf")), 3, "none.vcf");
  expect(With(Acgan(), "--label-column", "region"), 2, "no column \"region\"; it has pop");
  expect(With(Acgan(), "--panel", data_.Write("few.tsv", "sample\tpop\nS0\tnorth\n")), 2,
         "sample S1 is not in the panel");
  expect(With(Acgan(), "--gate", data_.Path("none.gate")), 3, "none.gate");
  expect(Acgan({"--holdout", "0.05"}), 2, "190 training, 10 hold-out");
  expect(With(Acgan(), "--arch", "wgan-gp"), 2, "conditioned on phenotypes, not on labels");
  expect(With(Acgan(), "--vcf", data_.Write("cut.vcf", data_.vcf().substr(0, data_.vcf().size() / 2))), 7, "cut.vcf");
  const std::vector<std::string> wgan = {"train",
                                         "--arch",
                                         "wgan-gp",
                                         "--vcf",
                                         data_.Path("real.vcf"),
                                         "--pheno",
                                         data_.Path("pheno.tsv"),
                                         "--pheno-name",
                                         "height",
                                         "--store",
                                         data_.Path("store"),
                                         "--create-store",
                                         "--model",
                                         "tiny"};
  expect(wgan, 2, "no phenotype \"height\"; there are colour, weight");
  EXPECT_THAT(data_.FilesUnder("store"), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(data_.Path("store/.checkpoints")));
}

TEST_F(TrainTest, TheStoreIsMadeOnlyWhenAsked) {
  std::vector<std::string> arguments = Acgan();
  arguments.erase(std::find(arguments.begin(), arguments.end(), "--create-store"));
  const ProgramResult result = RunTrainer(arguments);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("--create-store"));
}

TEST(TrainHelpTest, TellsExamplesAndExitCodes) {
  const ProgramResult result = RunTrainer({"train", "--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, AllOf(HasSubstr("Examples:"), HasSubstr("Exit codes:"), HasSubstr("wgan-gp-paper")));
}

}  // namespace
}  // namespace genoserve
