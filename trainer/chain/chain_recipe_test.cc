#include "trainer/chain/chain_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/generator.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr size_t kVariants = 150;

double Uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// Haplotypes of three populations, the third small.
TrainingSet Labelled() {
  std::mt19937_64 random(1);
  TrainingSet data;
  data.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 220, kVariants);
  for (int i = 0; i < 110; ++i) data.labels.push_back(i < 50 ? 0 : i < 100 ? 1 : 2);
  for (size_t v = 0; v < kVariants; ++v) {
    double p[3];
    p[0] = Uniform(random);
    p[1] = Uniform(random);
    p[2] = std::min(1.0, p[1] + 0.02);
    for (size_t row = 0; row < data.genotypes.rows(); ++row) {
      data.genotypes.Set(row, v, Uniform(random) < p[data.labels[row / 2]] ? 1 : 0);
    }
  }
  data.chromosome_starts = {0, 90};
  return data;
}

v1::Manifest LabelManifest() {
  v1::Manifest manifest;
  manifest.set_ploidy(2);
  manifest.set_phased(true);
  manifest.set_variant_count(kVariants);
  for (int i = 0; i < 3; ++i) manifest.add_labels()->set_name(absl::StrCat("L", i));
  FillChain(manifest);
  return manifest;
}

// Genotypes of unrelated people and a trait that they make, with some values missing.
TrainingSet WithTrait(size_t samples, uint64_t seed) {
  std::mt19937_64 random(seed);
  TrainingSet data;
  data.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, samples, kVariants);
  data.phenotypes.resize(1);
  for (size_t i = 0; i < samples; ++i) {
    double score = 0;
    int code = 0;
    for (size_t v = 0; v < kVariants; ++v) {
      if (v % 3 == 0) code = static_cast<int>(random() % 2 + random() % 2);  // variants in linkage
      data.genotypes.Set(i, v, code);
      if (v % 15 == 0) score += code - 1;
    }
    double noise = -6;
    for (int k = 0; k < 12; ++k) noise += Uniform(random);
    data.phenotypes[0].push_back(i % 20 == 0 ? NAN : 50 + 10 * (0.9 * score / std::sqrt(5) + 0.44 * noise));
    data.families.push_back(static_cast<int>(i));
  }
  for (size_t v = 0; v < kVariants; v += 30) data.chromosome_starts.push_back(v);
  return data;
}

v1::Manifest TraitManifest(size_t samples) {
  v1::Manifest manifest;
  manifest.set_ploidy(2);
  manifest.set_variant_count(kVariants);
  manifest.mutable_training()->set_samples(static_cast<int64_t>(samples));
  auto* trait = manifest.add_phenotypes();
  trait->set_name("trait");
  trait->mutable_continuous()->set_mean(50);
  trait->mutable_continuous()->set_standard_deviation(10);
  FillChain(manifest);
  return manifest;
}

RecipeSetup SetupOf(const v1::Manifest& manifest) {
  RecipeSetup setup;
  setup.seed = 3;
  setup.total_steps = ChainSteps(manifest);
  return setup;
}

std::unique_ptr<Recipe> Make(const v1::Manifest& manifest, const TrainingSet& data) {
  auto recipe = MakeChainRecipe(manifest, data, SetupOf(manifest));
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  return std::move(recipe).value();
}

void Finish(Recipe& recipe, const v1::Manifest& manifest) {
  while (recipe.steps() < ChainSteps(manifest)) ASSERT_TRUE(recipe.Step().ok());
}

TensorMap Train(const v1::Manifest& manifest, const TrainingSet& data) {
  const auto recipe = Make(manifest, data);
  Finish(*recipe, manifest);
  auto tensors = recipe->Export();
  EXPECT_TRUE(tensors.ok()) << tensors.status();
  return std::move(tensors).value();
}

void ExpectSame(const TensorMap& one, const TensorMap& other) {
  EXPECT_EQ(SerializeSafetensors(one), SerializeSafetensors(other));
}

TEST(ChainRecipeTest, ABlockIsAStepAndTheLastOneEnds) {
  const TrainingSet data = Labelled();
  const v1::Manifest manifest = LabelManifest();
  ASSERT_EQ(ChainSteps(manifest), 3);  // 150 variants in blocks of 64
  const auto recipe = Make(manifest, data);
  for (int step = 0; step < 3; ++step) {
    EXPECT_EQ(recipe->steps(), step);
    EXPECT_EQ(recipe->Export().status().code(), absl::StatusCode::kFailedPrecondition);
    const auto losses = recipe->Step();
    ASSERT_TRUE(losses.ok());
    ASSERT_EQ(losses->front().first, "bits");
    EXPECT_GT(losses->front().second, 0.2);
    EXPECT_LT(losses->front().second, 1);
  }
  EXPECT_TRUE(recipe->Export().ok());
  EXPECT_EQ(recipe->Step().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(recipe->Export().ok());
}

TEST(ChainRecipeTest, ResumedRunsGiveTheSameTensors) {
  const TrainingSet data = Labelled();
  const v1::Manifest manifest = LabelManifest();
  const TensorMap whole = Train(manifest, data);
  for (int64_t steps = 0; steps <= ChainSteps(manifest); ++steps) {
    const auto first = Make(manifest, data);
    while (first->steps() < steps) ASSERT_TRUE(first->Step().ok());
    const std::string state = first->SaveState().value();
    const auto second = Make(manifest, data);
    ASSERT_TRUE(second->RestoreState(state).ok());
    EXPECT_EQ(second->steps(), steps);
    Finish(*second, manifest);
    ExpectSame(second->Export().value(), whole);
    // Back to where it was, as after a divergence.
    ASSERT_TRUE(second->RestoreState(state).ok());
    EXPECT_EQ(second->steps(), steps);
    Finish(*second, manifest);
    ExpectSame(second->Export().value(), whole);
  }
}

TEST(ChainRecipeTest, RefusesStatesThatAreNotItsOwn) {
  const TrainingSet data = Labelled();
  const v1::Manifest manifest = LabelManifest();
  const auto recipe = Make(manifest, data);
  ASSERT_TRUE(recipe->Step().ok());
  for (const int64_t steps : {int64_t{-1}, int64_t{4}, INT64_MAX}) {
    const std::string state(reinterpret_cast<const char*>(&steps), sizeof(steps));
    EXPECT_EQ(recipe->RestoreState(state).code(), absl::StatusCode::kInvalidArgument) << steps;
  }
  EXPECT_EQ(recipe->RestoreState("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(recipe->RestoreState(std::string(9, '\0')).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(recipe->steps(), 1);
}

TEST(ChainRecipeTest, RefusesStepsAndSpecsThatDoNotFit) {
  const TrainingSet data = Labelled();
  const v1::Manifest manifest = LabelManifest();
  for (const int64_t steps : {0, 2, 4}) {
    RecipeSetup setup = SetupOf(manifest);
    setup.total_steps = steps;
    const absl::Status status = MakeChainRecipe(manifest, data, setup).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("takes 3 steps"));
  }
  v1::Manifest wrong = manifest;
  wrong.mutable_generator()->mutable_chain()->set_min_support(1);
  EXPECT_THAT(std::string(MakeChainRecipe(wrong, data, SetupOf(manifest)).status().message()),
              HasSubstr("min_support"));
  TrainingSet without = Labelled();
  for (int& label : without.labels) label = std::min(label, 1);
  EXPECT_THAT(std::string(MakeChainRecipe(manifest, without, SetupOf(manifest)).status().message()),
              HasSubstr("class 2 has no training rows"));
}

// ParallelFor takes as many threads as the calling one may run on.
TEST(ChainRecipeTest, OneThreadGivesTheTensorsOfMany) {
  const TrainingSet data = Labelled();
  const v1::Manifest manifest = LabelManifest();
  const TensorMap many = Train(manifest, data);
  TensorMap one;
  std::thread([&] {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    ASSERT_EQ(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &cpus)) ++cpu;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    ASSERT_EQ(sched_setaffinity(0, sizeof(cpus), &cpus), 0);
    one = Train(manifest, data);
  }).join();
  ExpectSame(one, many);
}

TEST(ChainRecipeTest, AServerLoadsItAndRowsHaveTheFrequenciesOfTheirLabel) {
  const TrainingSet data = Labelled();
  v1::Manifest manifest = LabelManifest();
  manifest.mutable_generator()->mutable_chain()->set_borrowing(0);
  const auto generator = MakeGenerator(manifest, Train(manifest, data), {});
  ASSERT_TRUE(generator.ok()) << generator.status();
  constexpr size_t kSamples = 1500;
  for (int label = 0; label < 3; ++label) {
    std::vector<double> wanted(kVariants);
    double rows = 0;
    for (size_t row = 0; row < data.genotypes.rows(); ++row) {
      if (data.labels[row / 2] != label) continue;
      for (size_t v = 0; v < kVariants; ++v) wanted[v] += data.genotypes.Get(row, v);
      ++rows;
    }
    std::vector<double> made(kVariants);
    for (size_t first = 0; first < kSamples; first += 100) {
      std::vector<SampleSpec> samples;
      for (size_t i = 0; i < 100; ++i) {
        samples.push_back({.seed = 1, .sample = first + i, .label = label, .phenotypes = {}});
      }
      GenotypeMatrix tile(Packing::kHaplotype1Bit, 200, kVariants);
      ASSERT_TRUE((*generator)->Generate(samples, {}, tile).ok());
      for (size_t row = 0; row < 200; ++row) {
        for (size_t v = 0; v < kVariants; ++v) made[v] += tile.Get(row, v);
      }
    }
    for (size_t v = 0; v < kVariants; ++v) {
      const double p = wanted[v] / rows;
      EXPECT_NEAR(made[v] / (2 * kSamples), p, 0.001 + 4.5 * std::sqrt(p * (1 - p) / (2 * kSamples)))
          << label << " " << v;
    }
  }
}

double Correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double sums[5] = {};
  for (size_t i = 0; i < x.size(); ++i) {
    sums[0] += x[i];
    sums[1] += y[i];
    sums[2] += x[i] * y[i];
    sums[3] += x[i] * x[i];
    sums[4] += y[i] * y[i];
  }
  return (n * sums[2] - sums[0] * sums[1]) /
         std::sqrt((n * sums[3] - sums[0] * sums[0]) * (n * sums[4] - sums[1] * sums[1]));
}

// What the genotypes that made the trait make of a row.
double TrueScore(const GenotypeMatrix& genotypes, size_t row) {
  double score = 0;
  for (size_t v = 0; v < kVariants; v += 15) score += genotypes.Get(row, v) - 1;
  return score;
}

TEST(ChainRecipeTest, RowsFollowATraitAsPeopleDo) {
  constexpr size_t kPeople = 600;
  const TrainingSet data = WithTrait(kPeople, 5);
  const v1::Manifest manifest = TraitManifest(kPeople);
  ASSERT_GT(manifest.generator().chain().candidates(), 1);
  const auto generator = MakeGenerator(manifest, Train(manifest, data), {});
  ASSERT_TRUE(generator.ok()) << generator.status();

  // People that it never saw: how well the trait tells the score of a row, and how well a request does.
  const TrainingSet others = WithTrait(kPeople, 6);
  std::vector<double> asked;
  std::vector<double> of_people;
  std::vector<double> of_rows;
  double means[2] = {};
  for (size_t i = 0; i < kPeople; ++i) {
    const double trait = others.phenotypes[0][i];
    const std::vector<double> phenotypes = {trait};
    const SampleSpec sample = {.seed = 9, .sample = i, .label = -1, .phenotypes = phenotypes};
    GenotypeMatrix row(Packing::kDiploid2Bit, 1, kVariants);
    ASSERT_TRUE((*generator)->Generate({&sample, 1}, {}, row).ok()) << trait;
    if (std::isnan(trait)) continue;
    asked.push_back(trait);
    of_people.push_back(TrueScore(others.genotypes, i));
    of_rows.push_back(TrueScore(row, 0));
    for (const size_t high : {0, 1}) {
      const std::vector<double> extreme = {high == 1 ? 65.0 : 35.0};
      const SampleSpec other = {.seed = 10, .sample = i, .label = -1, .phenotypes = extreme};
      ASSERT_TRUE((*generator)->Generate({&other, 1}, {}, row).ok());
      means[high] += TrueScore(row, 0) / kPeople;
    }
  }
  EXPECT_GT(means[1], 1.5);
  EXPECT_LT(means[0], -1.5);
  const double real = Correlation(asked, of_people);
  EXPECT_GT(real, 0.8);
  EXPECT_NEAR(Correlation(asked, of_rows), real, 0.15);
}

TEST(ChainRecipeTest, ClassesOfSamplesWithoutLabelsAreTheirFamilies) {
  TrainingSet data = WithTrait(200, 7);
  data.phenotypes.clear();
  // Two families that share nothing.
  for (size_t i = 0; i < 200; ++i) {
    data.families[i] = static_cast<int>(i % 2);
    for (size_t v = 0; v < kVariants / 2; ++v) data.genotypes.Set(i, v, i % 2 == 0 ? 2 : 0);
  }
  v1::Manifest manifest = TraitManifest(200);
  manifest.clear_phenotypes();
  FillChain(manifest);
  ASSERT_EQ(manifest.generator().chain().classes(), 2);
  const TensorMap tensors = Train(manifest, data);
  EXPECT_THAT(tensors.at("chain.class_shares").values,
              testing::Pointwise(testing::FloatNear(1e-5F), std::vector{0.5F, 0.5F}));
  const auto generator = MakeGenerator(manifest, tensors, {});
  ASSERT_TRUE(generator.ok()) << generator.status();
  GenotypeMatrix row(Packing::kDiploid2Bit, 1, kVariants);
  int firsts[3] = {};
  for (uint64_t i = 0; i < 300; ++i) {
    const SampleSpec sample = {.seed = 1, .sample = i, .label = -1, .phenotypes = {}};
    ASSERT_TRUE((*generator)->Generate({&sample, 1}, {}, row).ok());
    ++firsts[row.Get(0, 0)];
    EXPECT_EQ(row.Get(0, 0), row.Get(0, 70)) << "chromosomes are of one class";
  }
  EXPECT_NEAR(firsts[0], 150, 40);
  EXPECT_EQ(firsts[1], 0);
}

}  // namespace
}  // namespace genoserve
