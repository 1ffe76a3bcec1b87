#include "trainer/chain/tilt.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace genoserve {
namespace {

struct Rows {
  std::vector<double> probabilities;
  std::vector<double> masses;
};

Rows RandomRows(size_t rows, size_t symbols, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Rows made;
  double mass = 0;
  for (size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (size_t s = 0; s < symbols; ++s) sum += made.probabilities.emplace_back(0.01 + uniform());
    for (size_t s = 0; s < symbols; ++s) made.probabilities[row * symbols + s] /= sum;
    mass += made.masses.emplace_back(uniform());
  }
  for (double& one : made.masses) one /= mass;
  return made;
}

std::vector<double> Tilted(const Rows& rows, const std::array<double, kMostChainSymbols>& factors, size_t symbols) {
  std::vector<double> tilted = rows.probabilities;
  for (size_t row = 0; row < rows.masses.size(); ++row) {
    double sum = 0;
    for (size_t s = 0; s < symbols; ++s) sum += tilted[row * symbols + s] *= factors[s];
    for (size_t s = 0; s < symbols; ++s) tilted[row * symbols + s] /= sum;
  }
  return tilted;
}

std::vector<double> Means(const Rows& rows, const std::vector<double>& tilted, size_t symbols) {
  std::vector<double> means(symbols);
  for (size_t i = 0; i < tilted.size(); ++i) means[i % symbols] += rows.masses[i / symbols] * tilted[i];
  return means;
}

TEST(TiltTest, MeansMeetTheFrequencies) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (const auto& [symbols, frequencies] : {std::pair<size_t, std::vector<double>>{2, {0.8, 0.2}},
                                               {2, {0.3, 0.7}},
                                               {3, {0.5, 0.3, 0.2}},
                                               {3, {0.25, 0.5, 0.25}},
                                               {3, {0.2, 0.2, 0.6}}}) {
      const Rows rows = RandomRows(30, symbols, seed);
      const auto factors = TiltFactors(rows.probabilities, rows.masses, frequencies);
      EXPECT_EQ(factors[0], 1);
      const std::vector<double> means = Means(rows, Tilted(rows, factors, symbols), symbols);
      for (size_t s = 0; s < symbols; ++s) {
        EXPECT_NEAR(means[s], frequencies[s], symbols == 2 ? 1e-9 : 1e-4) << "seed " << seed << ", code " << s;
      }
    }
  }
}

TEST(TiltTest, NothingIsChangedWhereNothingIsWrong) {
  const Rows rows = RandomRows(30, 2, 1);
  const std::vector<double> means = Means(rows, rows.probabilities, 2);
  EXPECT_NEAR(TiltFactors(rows.probabilities, rows.masses, means)[1], 1, 1e-9);
}

TEST(TiltTest, CertainRowsStayAndTheOthersMakeUpForThem) {
  const Rows rows = {{1, 0, 0, 1, 0.5, 0.5, 0.9, 0.1}, {0.3, 0.1, 0.4, 0.2}};
  const std::vector<double> frequencies = {0.55, 0.45};
  const auto factors = TiltFactors(rows.probabilities, rows.masses, frequencies);
  const std::vector<double> tilted = Tilted(rows, factors, 2);
  EXPECT_EQ(std::vector<double>(tilted.begin(), tilted.begin() + 4), (std::vector<double>{1, 0, 0, 1}));
  EXPECT_NEAR(Means(rows, tilted, 2)[1], 0.45, 1e-9);
}

TEST(TiltTest, FactorsAreBounded) {
  const Rows rows = {{0.5, 0.5}, {1}};
  EXPECT_NEAR(TiltFactors(rows.probabilities, rows.masses, std::vector{0.0, 1.0})[1], 50, 1e-6);
  EXPECT_NEAR(TiltFactors(rows.probabilities, rows.masses, std::vector{1.0, 0.0})[1], 0.02, 1e-9);
  const Rows three = {{0.4, 0.3, 0.3}, {1}};
  for (const double factor : TiltFactors(three.probabilities, three.masses, std::vector{-0.1, 1.3, -0.2})) {
    EXPECT_GE(factor, 0.02 * (1 - 1e-9));
    EXPECT_LE(factor, 50 * (1 + 1e-9));
  }
}

}  // namespace
}  // namespace genoserve
