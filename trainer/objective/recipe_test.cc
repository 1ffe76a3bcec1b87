#include "trainer/objective/recipe.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// The presets that adversarial steps train. chain has no losses of two networks and no use before its last step.
std::vector<std::string> AdversarialPresets() {
  std::vector<std::string> presets = PresetNames();
  presets.erase(std::remove(presets.begin(), presets.end(), "chain"), presets.end());
  return presets;
}

// A preset at test size.
v1::Manifest Manifest(const TestData& data, const std::string& preset) {
  v1::Manifest manifest = data.manifest;
  EXPECT_TRUE(ApplyPreset(preset, manifest).ok());
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(32);
  for (int i = 0; i < recipe.critic_hidden_sizes_size(); ++i) recipe.set_critic_hidden_sizes(i, 12);
  auto* hidden = manifest.generator().has_acgan()
                     ? manifest.mutable_generator()->mutable_acgan()->mutable_hidden_sizes()
                     : manifest.mutable_generator()->mutable_wgan_gp()->mutable_hidden_sizes();
  for (int& size : *hidden) size = 16;
  return manifest;
}

TestData DataOf(const std::string& preset, size_t samples, size_t variants) {
  return preset[0] == 'a' ? SimulateHaplotypes(samples, variants) : SimulateGenotypes(samples, variants);
}

std::unique_ptr<Recipe> Make(const v1::Manifest& manifest, const TestData& data, uint64_t seed = 1) {
  auto recipe = MakeRecipe(manifest, data.set, seed, 20, DeviceKind::kCpu);
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  return std::move(recipe).value();
}

void Train(Recipe& recipe, int steps) {
  for (int i = 0; i < steps; ++i) {
    const auto losses = recipe.Step();
    ASSERT_TRUE(losses.ok()) << losses.status();
    ASSERT_EQ(losses->size(), 2U);
  }
}

// A cohort with the labels and phenotypes of the training set.
GenotypeMatrix Generate(const v1::Manifest& manifest, const TensorMap& weights, const TestData& data) {
  const auto generator = MakeGenerator(manifest, weights, {});
  EXPECT_TRUE(generator.ok()) << generator.status();
  const GenotypeMatrix& real = data.set.genotypes;
  GenotypeMatrix cohort(real.packing(), real.rows(), real.variants());
  for (size_t i = 0; i < real.samples(); ++i) {
    std::vector<double> phenotypes;
    for (const auto& values : data.set.phenotypes) phenotypes.push_back(values[i]);
    const SampleSpec sample{
        .seed = 5, .sample = i, .label = data.set.labels.empty() ? -1 : data.set.labels[i], .phenotypes = phenotypes};
    const size_t rows = RowsPerSample(real.packing());
    GenotypeMatrix one(real.packing(), rows, real.variants());
    EXPECT_TRUE((*generator)->Generate({&sample, 1}, {}, one).ok());
    for (size_t row = 0; row < rows; ++row) {
      std::copy(one.Row(row).begin(), one.Row(row).end(), cohort.MutableRow(i * rows + row).begin());
    }
  }
  return cohort;
}

double Correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  const auto n = static_cast<double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    sx += x[i] / n;
    sy += y[i] / n;
  }
  for (size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - sx) * (x[i] - sx);
    syy += (y[i] - sy) * (y[i] - sy);
    sxy += (x[i] - sx) * (y[i] - sy);
  }
  return sxx * syy > 0 ? sxy / std::sqrt(sxx * syy) : 0.0;
}

std::vector<double> Column(const GenotypeMatrix& genotypes, size_t variant) {
  std::vector<double> codes;
  for (size_t row = 0; row < genotypes.rows(); ++row) codes.push_back(genotypes.Get(row, variant));
  return codes;
}

// Mean code of each variant over the rows of one label, or of all.
std::vector<double> Means(const GenotypeMatrix& genotypes, const TestData& data, int label) {
  std::vector<double> means(genotypes.variants());
  double rows = 0;
  for (size_t row = 0; row < genotypes.rows(); ++row) {
    if (label >= 0 && data.set.labels[row / 2] != label) continue;
    ++rows;
    for (size_t v = 0; v < means.size(); ++v) means[v] += genotypes.Get(row, v);
  }
  for (double& mean : means) mean /= rows;
  return means;
}

double NeighbourR2(const GenotypeMatrix& genotypes) {
  double sum = 0;
  for (size_t v = 0; v + 1 < genotypes.variants(); ++v) {
    const double r = Correlation(Column(genotypes, v), Column(genotypes, v + 1));
    sum += r * r;
  }
  return sum / static_cast<double>(genotypes.variants() - 1);
}

class RecipeTest : public testing::Test {
 protected:
  // More threads would wait for one another when several test programs run at once.
  static void SetUpTestSuite() { at::set_num_threads(1); }
};

TEST_F(RecipeTest, RestoredTrainingGoesOnToTheBit) {
  for (const std::string& preset : AdversarialPresets()) {
    SCOPED_TRACE(preset);
    const TestData data = DataOf(preset, 60, 30);
    const v1::Manifest manifest = Manifest(data, preset);
    const auto straight = Make(manifest, data);
    Train(*straight, 10);
    const auto first = Make(manifest, data);
    Train(*first, 5);
    ASSERT_TRUE(first->Export().ok()) << "looking at a training does not change it";
    const std::string state = first->SaveState().value();
    const auto second = Make(manifest, data);
    ASSERT_TRUE(second->RestoreState(state).ok());
    EXPECT_EQ(second->steps(), 5);
    Train(*second, 5);
    EXPECT_EQ(second->steps(), 10);
    EXPECT_TRUE(second->SaveState().value() == straight->SaveState().value());
    const TensorMap weights = straight->Export().value();
    const TensorMap again = second->Export().value();
    ASSERT_EQ(weights.size(), again.size());
    for (const auto& [name, tensor] : weights) EXPECT_EQ(tensor.values, again.at(name).values) << name;
    const auto other_seed = Make(manifest, data, 2);
    Train(*other_seed, 10);
    EXPECT_FALSE(other_seed->SaveState().value() == straight->SaveState().value());
  }
}

TEST_F(RecipeTest, EveryAdversarialPresetMakesAGeneratorThatServes) {
  for (const std::string& preset : AdversarialPresets()) {
    SCOPED_TRACE(preset);
    const TestData data = DataOf(preset, 60, 30);
    const v1::Manifest manifest = Manifest(data, preset);
    const auto recipe = Make(manifest, data);
    Train(*recipe, 3);
    const GenotypeMatrix cohort = Generate(manifest, recipe->Export().value(), data);
    std::set<std::string> different;
    for (size_t row = 0; row < cohort.rows(); ++row) different.emplace(cohort.Row(row).begin(), cohort.Row(row).end());
    EXPECT_GT(different.size(), 10U);
  }
}

TEST_F(RecipeTest, DefaultsKeepFrequenciesAndLinkage) {
  for (const std::string preset : {"acgan", "wgan-gp"}) {
    SCOPED_TRACE(preset);
    const TestData data = DataOf(preset, 900, 60);
    const v1::Manifest manifest = Manifest(data, preset);
    const auto recipe = Make(manifest, data);
    Train(*recipe, 20);
    const GenotypeMatrix cohort = Generate(manifest, recipe->Export().value(), data);
    for (int label = data.set.labels.empty() ? -1 : 2; label >= -1; --label) {
      EXPECT_GT(Correlation(Means(data.set.genotypes, data, label), Means(cohort, data, label)), 0.99) << label;
    }
    EXPECT_NEAR(NeighbourR2(cohort) / NeighbourR2(data.set.genotypes), 1.0, 0.2);
    std::set<std::string> real;
    for (size_t row = 0; row < cohort.rows(); ++row) {
      real.emplace(data.set.genotypes.Row(row).begin(), data.set.genotypes.Row(row).end());
    }
    for (size_t row = 0; row < cohort.rows(); ++row) {
      EXPECT_FALSE(real.contains({cohort.Row(row).begin(), cohort.Row(row).end()})) << "row " << row << " is a copy";
    }
  }
}

// The first five variants grow with the phenotype weight in the data, the others do not.
TEST_F(RecipeTest, ConditionsActFromTheStart) {
  const TestData data = SimulateGenotypes(900, 60);
  const v1::Manifest manifest = Manifest(data, "wgan-gp");
  const GenotypeMatrix cohort = Generate(manifest, Make(manifest, data)->Export().value(), data);
  const auto burden = [&](const GenotypeMatrix& genotypes, size_t first) {
    std::vector<double> sums;
    std::vector<double> weights;
    for (size_t row = 0; row < genotypes.rows(); ++row) {
      if (std::isnan(data.set.phenotypes[0][row])) continue;
      double sum = 0;
      for (size_t v = first; v < first + 5; ++v) sum += genotypes.Get(row, v);
      sums.push_back(sum);
      weights.push_back(data.set.phenotypes[0][row]);
    }
    return Correlation(sums, weights);
  };
  EXPECT_GT(burden(data.set.genotypes, 0), 0.6);
  EXPECT_NEAR(burden(cohort, 0), burden(data.set.genotypes, 0), 0.12);
  EXPECT_NEAR(burden(cohort, 20), burden(data.set.genotypes, 20), 0.12);
}

// Frequencies come out right only if BatchNorm was folded into the layers as it worked in training.
TEST_F(RecipeTest, CalibrationHoldsForAnyNetwork) {
  for (const std::string preset : {"acgan", "wgan-gp"}) {
    SCOPED_TRACE(preset);
    const TestData data = DataOf(preset, 600, 30);
    v1::Manifest manifest = Manifest(data, preset);
    manifest.mutable_training()->mutable_recipe()->set_start_from_data(false);
    const auto recipe = Make(manifest, data);
    Train(*recipe, 10);
    const GenotypeMatrix cohort = Generate(manifest, recipe->Export().value(), data);
    EXPECT_GT(Correlation(Means(data.set.genotypes, data, -1), Means(cohort, data, -1)), 0.99);
  }
}

TEST_F(RecipeTest, RefusesStatesOfOtherNetworks) {
  const TestData data = SimulateHaplotypes(60, 30);
  const TestData other = SimulateHaplotypes(60, 31);
  const auto recipe = Make(Manifest(data, "acgan"), data);
  const std::string state = Make(Manifest(other, "acgan"), other)->SaveState().value();
  EXPECT_EQ(recipe->RestoreState(state).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(recipe->RestoreState("").code(), absl::StatusCode::kInvalidArgument);
  const std::string own = recipe->SaveState().value();
  EXPECT_EQ(recipe->RestoreState(own.substr(0, own.size() - 5)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(recipe->RestoreState(own).ok());
}

TEST_F(RecipeTest, RefusesDataAndSettingsThatDoNotFit) {
  const TestData haplotypes = SimulateHaplotypes(60, 30);
  const TestData genotypes = SimulateGenotypes(60, 30);
  v1::Manifest manifest = haplotypes.manifest;
  EXPECT_THAT(std::string(ApplyPreset("gan", manifest).message()), HasSubstr("acgan-paper"));
  EXPECT_EQ(ApplyPreset("wgan-gp", manifest).code(), absl::StatusCode::kInvalidArgument);
  manifest = genotypes.manifest;
  EXPECT_EQ(ApplyPreset("acgan", manifest).code(), absl::StatusCode::kInvalidArgument);

  const auto refusal = [&](auto change) {
    v1::Manifest changed = Manifest(haplotypes, "acgan");
    change(*changed.mutable_training()->mutable_recipe());
    const auto recipe = MakeRecipe(changed, haplotypes.set, 1, 10, DeviceKind::kCpu);
    EXPECT_EQ(recipe.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(recipe.status().message());
  };
  EXPECT_THAT(refusal([](auto& r) { r.set_batch_size(0); }), HasSubstr("batch_size"));
  EXPECT_THAT(refusal([](auto& r) { r.set_critic_steps(0); }), HasSubstr("critic_steps"));
  EXPECT_THAT(refusal([](auto& r) { r.set_generator_learning_rate(NAN); }), HasSubstr("generator_learning_rate"));
  EXPECT_THAT(refusal([](auto& r) { r.set_average_decay(1); }), HasSubstr("average_decay"));
  EXPECT_THAT(refusal([](auto& r) { r.set_temperature_end(0); }), HasSubstr("temperature_end"));
  EXPECT_THAT(refusal([](auto& r) { r.clear_critic_hidden_sizes(); }), HasSubstr("critic_hidden_sizes"));
  EXPECT_THAT(refusal([](auto& r) { r.set_optimizer("sgd"); }), HasSubstr("optimizer"));
  TestData mislabelled = SimulateHaplotypes(60, 30);
  mislabelled.set.labels[5] = 3;
  EXPECT_FALSE(MakeRecipe(Manifest(haplotypes, "acgan"), mislabelled.set, 1, 10, DeviceKind::kCpu).ok());
  EXPECT_FALSE(MakeRecipe(Manifest(haplotypes, "acgan"), genotypes.set, 1, 10, DeviceKind::kCpu).ok());
}

}  // namespace
}  // namespace genoserve
