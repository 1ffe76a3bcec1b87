#include "trainer/chain/smoothing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace genoserve {
namespace {

// Rows with some codes, and the codes of the next variant.
struct Setting {
  Setting(const std::vector<std::vector<uint8_t>>& before, const std::vector<uint8_t>& codes, size_t codes_of,
          size_t support, std::vector<double> row_weights = {})
      : symbols(codes_of), order(codes.size(), codes_of), weights((codes.size() + 1) * codes_of, 0.0) {
    if (row_weights.empty()) row_weights.assign(codes.size(), 1.0);
    for (size_t v = 0; v < before.size(); ++v) order.Add(v, before[v]);
    tree.Build(order, support);
    for (size_t place = 0; place < codes.size(); ++place) {
      const uint32_t row = order.order()[place];
      for (size_t s = 0; s < symbols; ++s) weights[(place + 1) * symbols + s] = weights[place * symbols + s];
      weights[(place + 1) * symbols + codes[row]] += row_weights[row];
    }
    order.Add(before.size(), codes);
  }
  Smoothing smoothing() const { return {tree, order, weights, symbols}; }
  std::vector<double> Probabilities(uint32_t low, uint32_t high, double strength) const {
    std::vector<double> probabilities(symbols);
    smoothing().Probabilities(low, high, strength, probabilities);
    return probabilities;
  }

  size_t symbols;
  PrefixOrder order;
  ContextTree tree;
  std::vector<double> weights;
};

// Ten rows; six have 0 before (places 0 to 5), four have 1.
const std::vector<uint8_t> kBefore = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1};

TEST(SmoothingTest, ProbabilitiesAreThoseOfTheFormula) {
  const Setting setting({kBefore}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 0}, 2, 2);
  // The context of the four: (3 + s 4/10) / (4 + s).
  EXPECT_NEAR(setting.Probabilities(6, 10, 2)[1], (3 + 2 * 0.4) / 6, 1e-12);
  EXPECT_NEAR(setting.Probabilities(6, 10, 2)[0], (1 + 2 * 0.6) / 6, 1e-12);
  // No context has twice the rows of the six: what is above them is all rows.
  EXPECT_NEAR(setting.Probabilities(0, 6, 4)[1], (1 + 4 * 0.4) / 10, 1e-12);
  EXPECT_NEAR(setting.Probabilities(0, 10, 4)[1], 0.4, 1e-12);
}

TEST(SmoothingTest, RowsCountByTheirWeights) {
  const Setting setting({kBefore}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 0}, 2, 2, {1, 1, 1, 1, 1, 1, .5, .5, .5, .5});
  EXPECT_NEAR(setting.Probabilities(6, 10, 2)[1], (1.5 + 2 * 2.5 / 8) / 4, 1e-12);
}

TEST(SmoothingTest, ACodeThatNoRowOfTheContextHasStaysImpossible) {
  const Setting setting({kBefore}, {0, 0, 0, 1, 1, 2, 1, 1, 1, 0}, 3, 2);
  const std::vector<double> four = setting.Probabilities(6, 10, 2);
  EXPECT_EQ(four[2], 0);
  const double zero = 1 + 2 * 0.4;
  const double one = 3 + 2 * 0.5;
  EXPECT_NEAR(four[0], zero / (zero + one), 1e-12);
  EXPECT_NEAR(four[1], one / (zero + one), 1e-12);
}

// Rows in blocks that have the same codes before, and a next code that a block has with its own probability.
Setting Blocks(double spread, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  constexpr size_t kBits = 5;
  std::vector<std::vector<uint8_t>> before(kBits);
  std::vector<uint8_t> codes;
  for (size_t block = 0; block < 32; ++block) {
    const double probability = 0.5 + spread * (uniform() - 0.5);
    for (size_t row = 0; row < 12; ++row) {
      for (size_t bit = 0; bit < kBits; ++bit) before[bit].push_back(static_cast<uint8_t>((block >> bit) & 1));
      codes.push_back(uniform() < probability ? 1 : 0);
    }
  }
  return {before, codes, 2, 10};
}

TEST(SmoothingTest, ContextsThatTellNothingAreSmoothedAway) {
  for (uint64_t seed = 1; seed <= 5; ++seed) EXPECT_GE(Blocks(0, seed).smoothing().BestStrength(), 64) << seed;
}

TEST(SmoothingTest, ContextsThatTellMuchAreKept) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const double strength = Blocks(1, seed).smoothing().BestStrength();
    EXPECT_GT(strength, 0) << seed;
    EXPECT_LE(strength, 16) << seed;
  }
}

TEST(SmoothingTest, OneCodeAloneIsCertain) {
  const Setting setting({kBefore}, std::vector<uint8_t>(10, 1), 2, 2);
  EXPECT_GT(setting.smoothing().BestStrength(), 0);
  EXPECT_EQ(setting.Probabilities(6, 10, 1024), (std::vector<double>{0, 1}));
}

}  // namespace
}  // namespace genoserve
