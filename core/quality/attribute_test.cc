#include "core/quality/attribute.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

TEST(AttributeTest, ATenthIsHidden) {
  const std::vector<size_t> hidden = HiddenVariants(1004, 7);
  EXPECT_EQ(hidden.size(), 100U);
  EXPECT_TRUE(std::is_sorted(hidden.begin(), hidden.end()));
  EXPECT_EQ(std::adjacent_find(hidden.begin(), hidden.end()), hidden.end());
  EXPECT_LT(hidden.back(), 1004U);
  EXPECT_EQ(hidden, HiddenVariants(1004, 7));
  EXPECT_NE(hidden, HiddenVariants(1004, 8));
  EXPECT_EQ(HiddenVariants(2, 7).size(), 1U);
  EXPECT_TRUE(HiddenVariants(1, 7).empty());
}

TEST(AttributeTest, GuessesByHand) {
  // Variant 1 is hidden. The five nearest of seven have 2, 2, 1, 2, 2 there: 9 / 5 is nearest to 2.
  const GenotypeMatrix cohort =
      Diploid({{0, 0, 2, 2}, {2, 2, 0, 0}, {2, 2, 0, 0}, {2, 1, 0, 0}, {2, 2, 0, 1}, {2, 2, 1, 0}, {0, 0, 2, 2}});
  const AttributeAttack attack({1}, {0, 0, 0, 0});
  const std::vector<Guesses> guesses = attack.Attack(Diploid({{2, 2, 0, 0}, {2, 1, 0, 0}, {2, 0, 0, 0}}), cohort);
  EXPECT_EQ(guesses[0].made, (std::array<uint32_t, 2>{0, 1}));
  EXPECT_EQ(guesses[0].right, (std::array<uint32_t, 2>{0, 1}));
  EXPECT_EQ(guesses[1].right, (std::array<uint32_t, 2>{0, 0}));
  EXPECT_EQ(guesses[2].made, (std::array<uint32_t, 2>{1, 0}));
  EXPECT_EQ(guesses[2].right, (std::array<uint32_t, 2>{0, 0}));
}

TEST(AttributeTest, BalancedAccuracyByHand) {
  const std::vector<Guesses> rows = {{{8, 2}, {8, 0}}, {{9, 1}, {9, 0}}, {{5, 5}, {4, 5}}, {{10, 0}, {10, 0}}};
  // Always the most frequent: all of those, none of the others.
  EXPECT_DOUBLE_EQ(BalancedAccuracy(rows, 2, std::vector<uint32_t>{1, 0}), 0.5);
  EXPECT_DOUBLE_EQ(BalancedAccuracy(rows, 2, std::vector<uint32_t>{0, 1}), (14.0 / 15 + 1) / 2);
  EXPECT_DOUBLE_EQ(BalancedAccuracy(rows, 2, std::vector<uint32_t>{1, 2}), (45.0 / 47 + 10.0 / 13) / 2);
  EXPECT_TRUE(std::isnan(BalancedAccuracy(rows, 1, std::vector<uint32_t>{0, 0, 0, 1})));
}

TEST(AttributeTest, MostFrequentCodes) {
  EXPECT_EQ(MostFrequentCodes(Diploid({{0, 1, 2}, {1, 1, 2}, {1, 0, 0}, {0, 1, 2}})), (std::vector<uint8_t>{0, 1, 2}));
}

TEST(AttributeTest, AsNumpyAndScikitLearnCompute) {
  nlohmann::json expected;
  std::ifstream("core/quality/testdata/attacks.json") >> expected;
  std::vector<size_t> copied(12);
  std::iota(copied.begin(), copied.end(), size_t{0});
  std::vector<size_t> hidden;
  for (size_t v = 3; v < 300; v += 10) hidden.push_back(v);
  for (const bool phased : {true, false}) {
    const auto form = [phased](const GenotypeMatrix& genotypes) { return phased ? genotypes : genotypes.ToDiploid(); };
    const GenotypeMatrix training = TestHaplotypes(101, 160, 300);
    GenotypeMatrix synthetic = TestHaplotypes(103, 40, 300);
    for (size_t row = 0; row < 24; ++row) {
      std::ranges::copy(training.Row(row), synthetic.MutableRow(row).begin());
    }
    std::vector<size_t> members(40);
    std::iota(members.begin(), members.end(), size_t{0});
    std::vector<size_t> floor(40);
    std::iota(floor.begin(), floor.end(), size_t{40});
    const std::vector<uint32_t> all(40, 1);

    const AttributeAttack attack(hidden, MostFrequentCodes(form(training.SelectSamples(floor))));
    const nlohmann::json& accuracy = expected[phased ? "haplotypes" : "diploid"]["attribute"];
    EXPECT_NEAR(
        BalancedAccuracy(attack.Attack(form(training.SelectSamples(members)), form(synthetic)), phased ? 2 : 1, all),
        accuracy["members"], 1e-9);
    EXPECT_NEAR(
        BalancedAccuracy(attack.Attack(form(TestHaplotypes(102, 40, 300)), form(synthetic)), phased ? 2 : 1, all),
        accuracy["holdout"], 1e-9);
  }
}

}  // namespace
}  // namespace genoserve
