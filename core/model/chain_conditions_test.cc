#include "core/model/chain_conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/model/test_chains.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr size_t kVariants = 43;  // not a whole number of vector lanes
constexpr size_t kClasses = 3;

v1::Manifest Manifest(int phenotypes) {
  v1::Manifest manifest = ChainManifest(3, kVariants, kClasses);
  for (int i = 0; i < phenotypes; ++i) {
    auto* phenotype = manifest.add_phenotypes();
    phenotype->set_name(absl::StrCat("trait", i));
    phenotype->mutable_continuous()->set_standard_deviation(1);
  }
  return manifest;
}

// Two inputs, whose precisions have no symmetry to hide behind.
TensorMap Tensors() {
  TensorMap tensors;
  tensors["chain.class_shares"] = {.shape = {3}, .values = {0.2F, 0.5F, 0.3F}};
  tensors["chain.class_means"] = {.shape = {3, 2}, .values = {-1, 0, 0.5F, 1, 2, -0.5F}};
  tensors["chain.class_precision"] = {.shape = {2, 2}, .values = {1.5F, 0.25F, 0.25F, 0.5F}};
  Tensor effects{.shape = {2, kVariants}};
  std::mt19937_64 random(3);
  for (size_t i = 0; i < 2 * kVariants; ++i) {
    effects.values.push_back(static_cast<float>(static_cast<double>(random() % 2001) / 1000 - 1));
  }
  tensors["chain.effects"] = effects;
  tensors["chain.offsets"] = {.shape = {2}, .values = {0.5F, -0.25F}};
  tensors["chain.residual_precision"] = {.shape = {2, 2}, .values = {2.0F, -0.5F, -0.5F, 1.0F}};
  return tensors;
}

ChainConditions Conditions() { return ChainConditions::FromTensors(Manifest(2), kClasses, Tensors()).value(); }

double Quadratic(double x, double y, const std::vector<float>& m) {
  return x * x * static_cast<double>(m[0]) + x * y * static_cast<double>(m[1] + m[2]) +
         y * y * static_cast<double>(m[3]);
}

// The counts of many choices against the probabilities, within 4.5 standard deviations.
void ExpectShares(const std::vector<int>& counts, const std::vector<double>& weights) {
  double total = 0;
  for (const double weight : weights) total += weight;
  double n = 0;
  for (const int count : counts) n += count;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double p = weights[i] / total;
    EXPECT_NEAR(counts[i] / n, p, 4.5 * std::sqrt(p * (1 - p) / n)) << i;
  }
}

TEST(ChainConditionsTest, ClassesFollowSharesAndInputs) {
  const ChainConditions conditions = Conditions();
  const TensorMap tensors = Tensors();
  for (const auto& [x, y] : {std::pair{0.0F, 0.0F}, {1.5F, -0.5F}, {-2.0F, 1.0F}}) {
    std::vector<double> weights;
    for (size_t kind = 0; kind < kClasses; ++kind) {
      const std::vector<float>& means = tensors.at("chain.class_means").values;
      weights.push_back(static_cast<double>(tensors.at("chain.class_shares").values[kind]) *
                        std::exp(-0.5 * Quadratic(static_cast<double>(x - means[2 * kind]),
                                                  static_cast<double>(y - means[2 * kind + 1]),
                                                  tensors.at("chain.class_precision").values)));
    }
    std::vector<int> counts(kClasses);
    for (uint64_t i = 0; i < 20000; ++i) {
      ++counts[conditions.ChooseClass(std::vector{x, y}, PhiloxStream(5, i, 0, Purpose::kLabel))];
    }
    ExpectShares(counts, weights);
  }
}

TEST(ChainConditionsTest, ClassesFollowSharesWithoutPhenotypes) {
  const TensorMap tensors = {{"chain.class_shares", Tensors().at("chain.class_shares")}};
  const ChainConditions conditions = ChainConditions::FromTensors(Manifest(0), kClasses, tensors).value();
  EXPECT_EQ(conditions.inputs(), 0U);
  std::vector<int> counts(kClasses);
  for (uint64_t i = 0; i < 20000; ++i) {
    ++counts[conditions.ChooseClass({}, PhiloxStream(5, i, 0, Purpose::kLabel))];
  }
  ExpectShares(counts, {0.2, 0.5, 0.3});
}

TEST(ChainConditionsTest, ScoresAreSumsOfEffects) {
  const ChainConditions conditions = Conditions();
  const std::vector<float> effects = Tensors().at("chain.effects").values;
  std::mt19937_64 random(1);
  for (const auto& [first, count] : {std::pair<size_t, size_t>{0, kVariants}, {0, 1}, {5, 8}, {7, 30}, {42, 1}}) {
    std::vector<uint8_t> codes(count);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random() % 3);
    std::vector<double> scores(2);
    conditions.Score(codes, first, scores);
    for (size_t input = 0; input < 2; ++input) {
      double wanted = 0;
      for (size_t v = 0; v < count; ++v) {
        wanted += static_cast<double>(effects[input * kVariants + first + v]) * codes[v];
      }
      EXPECT_NEAR(scores[input], wanted, 1e-9) << first << " " << count;
    }
  }
}

// With one chromosome the choice is from the density itself.
TEST(ChainConditionsTest, CandidatesFollowWhatTheyPredict) {
  const ChainConditions conditions = Conditions();
  const std::vector<double> scores = {0, 0, 1, 0.5, -1, 0.5, 2, 2};  // of 4 candidates
  const std::vector<float> condition = {1.5F, 0.25F};
  std::vector<double> weights;
  for (size_t i = 0; i < 4; ++i) {
    weights.push_back(std::exp(-0.5 * Quadratic(1.5 - 0.5 - scores[2 * i], 0.25 + 0.25 - scores[2 * i + 1],
                                                Tensors().at("chain.residual_precision").values)));
  }
  std::vector<int> counts(4);
  for (uint64_t i = 0; i < 20000; ++i) {
    ++counts[conditions.ChooseCandidates(scores, 1, 4, condition, PhiloxStream(9, i, 0, Purpose::kLabel))[0]];
  }
  ExpectShares(counts, weights);
}

// Two chromosomes that do not depend on one another, each of one input: every candidate has its own probability.
TEST(ChainConditionsTest, ChromosomesAreWeighedTogether) {
  TensorMap tensors = Tensors();
  tensors["chain.residual_precision"].values = {4, 0, 0, 4};
  const ChainConditions conditions = ChainConditions::FromTensors(Manifest(2), kClasses, tensors).value();
  // Chromosome 0 moves the first input, chromosome 1 both; together they can meet 2 in one way only.
  const std::vector<double> scores = {0, 0, 1, 0, /**/ 0, 0, 1, 0};
  const std::vector<float> condition = {0.5F + 2, -0.25F};
  int both = 0;
  constexpr int kRows = 4000;
  for (uint64_t i = 0; i < kRows; ++i) {
    const auto chosen = conditions.ChooseCandidates(scores, 2, 2, condition, PhiloxStream(9, i, 0, Purpose::kLabel));
    both += chosen[0] == 1 && chosen[1] == 1 ? 1 : 0;
  }
  // Weights e^(-2 d^2): 1 for both, e^-2 for each one alone, e^-8 for none.
  const double p = 1 / (1 + 2 * std::exp(-2.0) + std::exp(-8.0));
  EXPECT_NEAR(static_cast<double>(both) / kRows, p, 0.03);
}

TEST(ChainConditionsTest, RefusesTensorsThatAreNotSound) {
  const std::vector<std::pair<std::string, std::function<void(TensorMap&)>>> damages = {
      {"chain.class_shares is missing", [](TensorMap& t) { t.erase("chain.class_shares"); }},
      {"chain.class_shares is not F32 of shape [3]",
       [](TensorMap& t) {
         t["chain.class_shares"].shape = {3, 1};
       }},
      {"share that is not above 0", [](TensorMap& t) { t["chain.class_shares"].values[1] = 0; }},
      {"chain.class_means is missing", [](TensorMap& t) { t.erase("chain.class_means"); }},
      {"chain.class_precision has values that are not finite",
       [](TensorMap& t) { t["chain.class_precision"].values[2] = std::numeric_limits<float>::infinity(); }},
      {"chain.effects is not F32 of shape [2, 43]",
       [](TensorMap& t) {
         t["chain.effects"].shape = {43, 2};
       }},
      {"chain.offsets has values that are not finite", [](TensorMap& t) { t["chain.offsets"].values[0] = NAN; }},
      {"chain.residual_precision is not F32",
       [](TensorMap& t) {
         t["chain.residual_precision"] = {.shape = {2, 2}, .words = {1, 2, 3, 4}};
       }},
  };
  for (const auto& [message, damage] : damages) {
    TensorMap tensors = Tensors();
    damage(tensors);
    const absl::Status status = ChainConditions::FromTensors(Manifest(2), kClasses, tensors).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
}

}  // namespace
}  // namespace genoserve
