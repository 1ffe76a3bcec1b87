#include "trainer/chain/borrowing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace genoserve {
namespace {

constexpr size_t kVariants = 2000;

double Uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

std::vector<double> Population(std::mt19937_64& random) {
  std::vector<double> frequencies(kVariants);
  for (double& p : frequencies) p = 0.05 + 0.9 * Uniform(random);
  return frequencies;
}

// A population whose frequencies are off those of another by up to `far`.
std::vector<double> Cousin(const std::vector<double>& of, double far, std::mt19937_64& random) {
  std::vector<double> frequencies = of;
  for (double& p : frequencies) p = std::clamp(p + far * (2 * Uniform(random) - 1), 0.01, 0.99);
  return frequencies;
}

ClassFrequencies SampleOf(const std::vector<double>& population, int rows, double most, std::mt19937_64& random) {
  ClassFrequencies frequencies{.alleles = {}, .most = most, .rows = static_cast<double>(rows)};
  for (const double p : population) {
    double count = 0;
    for (int i = 0; i < rows * static_cast<int>(most); ++i) count += Uniform(random) < p ? 1 : 0;
    frequencies.alleles.push_back(count / (rows * most));
  }
  return frequencies;
}

TEST(BorrowingTest, SamplesOfOnePopulationShareAndFarOnesDoNot) {
  for (const double most : {1.0, 2.0}) {
    std::mt19937_64 random(1);
    const std::vector<double> here = Population(random);
    const std::vector<double> there = Population(random);
    const auto weights = BorrowingWeights(
        {SampleOf(here, 100, most, random), SampleOf(here, 60, most, random), SampleOf(there, 100, most, random)});
    EXPECT_GT(weights[0][1], 0.8);
    EXPECT_GT(weights[1][0], 0.8);
    for (const size_t i : {0, 1}) {
      EXPECT_EQ(weights[i][2], 0);
      EXPECT_EQ(weights[2][i], 0);
    }
  }
}

TEST(BorrowingTest, WeightsAreSharesAndOwnRowsCountOne) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    const std::vector<double> root = Population(random);
    std::vector<ClassFrequencies> classes;
    for (int i = 0; i < 7; ++i) {
      const auto cousin = Cousin(root, 0.4 * Uniform(random) * Uniform(random), random);
      classes.push_back(SampleOf(cousin, 1 + static_cast<int>(random() % 30), 1, random));
    }
    const auto weights = BorrowingWeights(classes);
    for (size_t i = 0; i < weights.size(); ++i) {
      EXPECT_EQ(weights[i][i], 1);
      for (const double weight : weights[i]) {
        EXPECT_TRUE(weight == 0 || (weight >= 0.02 && weight <= 1)) << weight << " with seed " << seed;
      }
    }
  }
}

// A single row has no variance of its own to be told; no weight may become anything but a number.
TEST(BorrowingTest, BearsClassesOfOneRowAndEqualClasses) {
  std::mt19937_64 random(4);
  const std::vector<double> here = Population(random);
  const ClassFrequencies one = SampleOf(here, 1, 1, random);
  const ClassFrequencies many = SampleOf(here, 50, 1, random);
  for (const auto& row : BorrowingWeights({one, many, many, one})) {
    for (const double weight : row) EXPECT_TRUE(weight >= 0 && weight <= 1) << weight;
  }
  EXPECT_EQ(BorrowingWeights({one}), (std::vector<std::vector<double>>{{1}}));
}

TEST(BorrowingTest, FrequenciesOfSmallPopulationsComeNearer) {
  std::mt19937_64 random(2);
  const std::vector<double> root = Population(random);
  std::vector<std::vector<double>> populations;
  std::vector<ClassFrequencies> classes;
  for (int i = 0; i < 6; ++i) {
    populations.push_back(Cousin(root, i < 4 ? 0.05 : 0.4, random));
    classes.push_back(SampleOf(populations.back(), i == 0 ? 20 : 80, 1, random));
  }
  const auto weights = BorrowingWeights(classes);
  for (size_t i = 0; i < classes.size(); ++i) {
    double alone = 0;
    double together = 0;
    for (size_t v = 0; v < kVariants; ++v) {
      double sum = 0;
      double rows = 0;
      for (size_t j = 0; j < classes.size(); ++j) {
        sum += weights[i][j] * classes[j].rows * classes[j].alleles[v];
        rows += weights[i][j] * classes[j].rows;
      }
      const double truth = populations[i][v];
      alone += (classes[i].alleles[v] - truth) * (classes[i].alleles[v] - truth);
      together += (sum / rows - truth) * (sum / rows - truth);
    }
    // 20 rows with 240 of close cousins, 80 with 180, 80 with none.
    EXPECT_LT(together, (i == 0 ? 0.4 : i < 4 ? 0.8 : 1.02) * alone) << i;
  }
}

}  // namespace
}  // namespace genoserve
