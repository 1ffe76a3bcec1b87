#include "trainer/chain/chain_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/genotype/genotype_matrix.h"
#include "core/model/chain_walk.h"
#include "core/model/test_chains.h"
#include "trainer/chain/smoothing.h"

namespace genoserve {
namespace {

using Codes = std::vector<std::vector<uint8_t>>;  // [variant][row]

// What is learned from: rows that are mosaics of a few ancestors with some errors, as haplotypes of a population are.
struct Training {
  size_t symbols = 2;
  Codes codes;
  std::vector<double> weights;  // [row]
  std::vector<size_t> starts = {0};
  ChainRules rules;

  size_t rows() const { return weights.size(); }
  size_t variants() const { return codes.size(); }
  size_t End(size_t chromosome) const { return chromosome + 1 < starts.size() ? starts[chromosome + 1] : codes.size(); }
};

Training Mosaics(size_t symbols, size_t rows, size_t variants, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](size_t count) { return random() % count; };
  constexpr size_t kAncestors = 8;
  Training training;
  training.symbols = symbols;
  training.weights.assign(rows, 1.0);
  training.rules = {.min_support = 5, .block = 16, .crossover = 0.2, .kept_context = 6};
  training.codes.assign(variants, std::vector<uint8_t>(rows));
  const size_t halves = symbols - 1;  // genotypes are two haplotypes
  Codes ancestors(variants, std::vector<uint8_t>(kAncestors));
  for (auto& at : ancestors) {
    for (uint8_t& code : at) code = below(3) == 0 ? 1 : 0;
  }
  for (size_t row = 0; row < rows; ++row) {
    for (size_t half = 0; half < halves; ++half) {
      size_t ancestor = below(kAncestors);
      for (size_t v = 0; v < variants; ++v) {
        if (below(25) == 0) ancestor = below(kAncestors);
        const uint8_t error = below(100) == 0 ? 1 : 0;
        training.codes[v][row] = static_cast<uint8_t>(training.codes[v][row] + (ancestors[v][ancestor] ^ error));
      }
    }
  }
  return training;
}

ChainGraph Learn(const Training& training) {
  ChainBuilder builder(training.rules, training.weights, training.symbols, training.variants());
  for (size_t chromosome = 0; chromosome < training.starts.size(); ++chromosome) {
    builder.StartChromosome(training.starts[chromosome]);
    for (size_t v = training.starts[chromosome]; v < training.End(chromosome); ++v) builder.Add(v, training.codes[v]);
    builder.EndChromosome();
  }
  // What a server would refuse is not learned.
  TensorMap tensors;
  ChainGraph(builder.graph()).ToTensors(tensors);
  auto read = ChainGraph::FromTensors(ChainManifest(training.symbols, training.variants(), 1), tensors);
  EXPECT_TRUE(read.ok()) << read.status();
  return builder.graph();
}

uint8_t RunCode(const ChainGraph& graph, uint32_t node, size_t i) {
  const size_t bit = (graph.RunOffset(node) + i) * graph.bits_per_code();
  return static_cast<uint8_t>((graph.codes()[bit / 32] >> (bit % 32)) & ((1U << graph.bits_per_code()) - 1));
}

// The probability of each code of a drawing node, as the walk draws: a cut of 2^32 - 1 is never reached.
std::vector<double> Probabilities(const ChainGraph& graph, uint32_t node) {
  std::vector<double> p;
  double before = 0;
  for (size_t s = 0; s < graph.symbols(); ++s) {
    const bool last = s + 1 == graph.symbols() || graph.Cut(node, s) == UINT32_MAX;
    const double cut = last ? 1 : graph.Cut(node, s) * 0x1p-32;
    p.push_back(cut - before);
    before = cut;
  }
  return p;
}

// Of each code at each variant: [variant][code].
using Shares = std::vector<std::array<double, 3>>;

struct Expected {
  Shares all;     // probability over all walks
  Shares forced;  // that of it which is in runs
  Shares open;    // probability to be where the code may be drawn
};

// Carries probabilities along the nodes, which stand in order.
Expected ExpectedShares(const ChainGraph& graph, size_t kind = 0) {
  std::vector<double> mass(graph.nodes(), 0.0);
  for (size_t chromosome = 0; chromosome < graph.chromosomes(); ++chromosome) mass[graph.Root(chromosome, kind)] += 1;
  Expected expected{Shares(graph.variants()), Shares(graph.variants()), Shares(graph.variants())};
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    const size_t first = graph.First(node);
    for (size_t i = 0; i < graph.RunLength(node); ++i) {
      expected.all[first + i][RunCode(graph, node, i)] += mass[node];
      expected.forced[first + i][RunCode(graph, node, i)] += mass[node];
    }
    if (graph.Step(node) == ChainStep::kJoin) mass[graph.Next(node, 0)] += mass[node];
    if (graph.Step(node) == ChainStep::kCrossover) {
      const double p = graph.Cut(node, 0) * 0x1p-32;
      mass[graph.Next(node, 0)] += mass[node] * (1 - p);
      mass[graph.Next(node, 1)] += mass[node] * p;
    }
    if (graph.Step(node) != ChainStep::kDraw) continue;
    const std::vector<double> p = Probabilities(graph, node);
    for (size_t s = 0; s < p.size(); ++s) {
      expected.all[first + graph.RunLength(node)][s] += mass[node] * p[s];
      if (p[s] > 0) expected.open[first + graph.RunLength(node)][s] += mass[node];
      mass[graph.Next(node, s)] += mass[node] * p[s];
    }
  }
  return expected;
}

// The weighted frequencies.
Shares TrainingShares(const Training& training) {
  Shares shares(training.variants());
  const double total = std::accumulate(training.weights.begin(), training.weights.end(), 0.0);
  for (size_t v = 0; v < shares.size(); ++v) {
    for (size_t row = 0; row < training.rows(); ++row) {
      shares[v][training.codes[v][row]] += training.weights[row] / total;
    }
  }
  return shares;
}

// Frequencies are those of the training wherever walks have the freedom for it: not where contexts that leave no
// choice have more of a code, or nearly, than the class has, or those that leave one too little.
void ExpectTrainingFrequencies(const Training& training, const ChainGraph& graph) {
  const Expected expected = ExpectedShares(graph);
  const Shares wanted = TrainingShares(training);
  size_t free = 0;
  double squares = 0;
  for (size_t v = 0; v < wanted.size(); ++v) {
    const auto& forced = expected.forced[v];
    const auto& open = expected.open[v];
    const double most = *std::max_element(open.begin(), open.end());
    bool has_room = true;
    for (size_t s = 0; s < training.symbols; ++s) {
      const double wants = wanted[v][s] - forced[s];
      has_room = has_room && (wanted[v][s] == 0 || (wants >= 0.1 * most && wants <= 0.8 * open[s]));
      squares += std::pow(expected.all[v][s] - wanted[v][s], 2);
    }
    if (!has_room) continue;
    ++free;
    for (size_t s = 0; s < training.symbols; ++s) {
      EXPECT_NEAR(expected.all[v][s], wanted[v][s], training.symbols == 2 ? 1e-6 : 1e-4)
          << training.symbols << " codes, " << training.rows() << " rows, variant " << v;
    }
  }
  EXPECT_GT(free, wanted.size() / 2);
  EXPECT_LT(std::sqrt(squares / static_cast<double>(wanted.size() * training.symbols)), 0.006);
}

std::vector<Training> Trainings() {
  std::vector<Training> trainings = {Mosaics(2, 120, 200, 1), Mosaics(3, 150, 150, 2), Mosaics(2, 60, 130, 3)};
  trainings[0].starts = {0, 70, 71};
  trainings[1].starts = {0, 33};
  // Rows that are borrowed.
  for (size_t row = 0; row < 80; ++row) trainings[1].weights[row] = 0.13;
  trainings[2].rules = {.min_support = 12, .block = 7, .crossover = 0.5, .kept_context = 3};
  for (size_t row = 0; row < 30; ++row) trainings[2].weights[row] = 0.5;
  return trainings;
}

// The rows that agree with the end of `walked` in `length` codes.
std::vector<size_t> Sharing(const Training& training, size_t begin, const std::vector<uint8_t>& walked, size_t length) {
  std::vector<size_t> sharing;
  for (size_t row = 0; row < training.rows(); ++row) {
    bool same = true;
    for (size_t i = walked.size() - length; same && i < walked.size(); ++i) {
      same = training.codes[begin + i][row] == walked[i];
    }
    if (same) sharing.push_back(row);
  }
  return sharing;
}

// A walk beside the training rows. The context at every variant is known by the rules: the codes since the chromosome
// began or since a crossover, as many of the last ones as min_support rows share. Every code must be one that rows of
// the context have there: all of them where it is not drawn, and where it is, by their smoothed weights times one
// factor a code, with a strength of smoothing and factors that are the same in all contexts of the variant.
class ContextWalk {
 public:
  ContextWalk(const Training& training, const ChainGraph& graph) : training_(training), graph_(graph) {}

  void Run(size_t chromosome, std::mt19937_64& random) {
    const size_t begin = training_.starts[chromosome];
    walked_.clear();
    length_ = 0;
    Take(begin);
    uint32_t node = graph_.Root(chromosome, 0);
    for (;;) {
      for (size_t i = 0; i < graph_.RunLength(node); ++i) {
        const uint8_t code = RunCode(graph_, node, i);
        ASSERT_EQ(Weights(begin, code).size(), 1U) << "all rows of the context have the code of a run";
        walked_.push_back(code);
        ++length_;
        Take(begin);
      }
      if (graph_.Step(node) == ChainStep::kEnd) break;
      if (graph_.Step(node) == ChainStep::kJoin) {
        node = graph_.Next(node, 0);
        continue;
      }
      if (graph_.Step(node) == ChainStep::kCrossover) {
        EXPECT_EQ(walked_.size() % training_.rules.block, 0U);
        EXPECT_FALSE(walked_.empty());
        EXPECT_NEAR(graph_.Cut(node, 0) * 0x1p-32, training_.rules.crossover, 1e-9);
        const bool leaves = random() % 3 == 0;
        node = graph_.Next(node, leaves ? 1 : 0);
        if (leaves) length_ = std::min(length_, training_.rules.kept_context);
        Take(begin);
        continue;
      }
      Draw(begin, node, random);
      if (testing::Test::HasFatalFailure()) return;
      node = graph_.Next(node, walked_.back());
    }
    EXPECT_EQ(begin + walked_.size(), training_.End(chromosome));
  }

  size_t draws() const { return draws_; }

 private:
  // Shortens the context until enough rows share it.
  void Take(size_t begin) {
    context_ = Sharing(training_, begin, walked_, length_);
    while (context_.size() < std::min(training_.rules.min_support, training_.rows())) {
      context_ = Sharing(training_, begin, walked_, --length_);
    }
  }

  // Weights of the codes that rows of the context have at the next variant. `must` is one of them.
  std::map<uint8_t, double> Weights(size_t begin, uint8_t must) const {
    std::map<uint8_t, double> weights;
    for (const size_t row : context_) {
      weights[training_.codes[begin + walked_.size()][row]] += training_.weights[row];
    }
    EXPECT_TRUE(weights.contains(must));
    return weights;
  }

  // What the context's codes have, by the formula of Smoothing: a prior of `strength` from the longest context that
  // twice as many rows share.
  std::array<double, 3> Smoothed(size_t begin, double strength) const {
    std::vector<std::vector<size_t>> contexts = {context_};
    for (size_t length = length_; length-- > 0;) {
      std::vector<size_t> sharing = Sharing(training_, begin, walked_, length);
      if (length == 0 || sharing.size() >= 2 * contexts.back().size()) contexts.push_back(std::move(sharing));
    }
    std::array<double, 3> shares{};
    double prior = 0;
    for (size_t i = contexts.size(); i-- > 0; prior = strength) {
      std::array<double, 3> weights{};
      double total = 0;
      for (const size_t row : contexts[i]) {
        weights[training_.codes[begin + walked_.size()][row]] += training_.weights[row];
        total += training_.weights[row];
      }
      for (size_t s = 0; s < shares.size(); ++s) shares[s] = (weights[s] + prior * shares[s]) / (total + prior);
    }
    return shares;
  }

  void Draw(size_t begin, uint32_t node, std::mt19937_64& random) {
    const std::vector<double> p = Probabilities(graph_, node);
    const size_t variant = begin + walked_.size();
    std::vector<uint8_t> possible;
    for (size_t s = 0; s < p.size(); ++s) {
      if (p[s] > 0) possible.push_back(static_cast<uint8_t>(s));
    }
    const auto weights = Weights(begin, possible.front());
    ASSERT_EQ(weights.size(), possible.size()) << "variant " << variant;
    ASSERT_GE(possible.size(), 2U);
    for (const uint8_t s : possible) ASSERT_TRUE(weights.contains(s)) << "variant " << variant;
    // Factors between two codes that both are there, under each strength.
    std::array<bool, kStrengths.size()>& misfits =
        misfits_.emplace(variant, std::array<bool, kStrengths.size()>{}).first->second;
    for (size_t k = 0; k < kStrengths.size(); ++k) {
      const std::array<double, 3> smoothed = Smoothed(begin, kStrengths[k]);
      for (size_t i = 1; i < possible.size(); ++i) {
        const uint8_t a = possible[i - 1];
        const uint8_t b = possible[i];
        if (p[a] < 1e-5 || p[b] < 1e-5) continue;  // too few of 2^32 for a precise ratio
        const double factor = p[b] / p[a] / (smoothed[b] / smoothed[a]);
        const auto [known, first] = factors_.emplace(std::array{variant, k, size_t{10} * a + b}, factor);
        if (std::fabs(factor / known->second - 1) > 1e-3) misfits[k] = true;
      }
    }
    ASSERT_FALSE(std::all_of(misfits.begin(), misfits.end(), [](bool one) { return one; })) << "variant " << variant;
    ++draws_;
    walked_.push_back(possible[random() % possible.size()]);
    ++length_;
    Take(begin);
  }

  const Training& training_;
  const ChainGraph& graph_;
  std::vector<uint8_t> walked_;
  size_t length_ = 0;
  std::vector<size_t> context_;
  std::map<std::array<size_t, 3>, double> factors_;                // of a variant, strength and pair of codes
  std::map<size_t, std::array<bool, kStrengths.size()>> misfits_;  // of a variant: strengths that do not explain it
  size_t draws_ = 0;
};

TEST(ChainBuilderTest, EveryCodeRestsOnMinSupportRowsThatShareItsContext) {
  for (const Training& training : Trainings()) {
    const ChainGraph graph = Learn(training);
    ContextWalk walk(training, graph);
    std::mt19937_64 random(1);
    for (int round = 0; round < 150; ++round) {
      for (size_t chromosome = 0; chromosome < training.starts.size(); ++chromosome) {
        walk.Run(chromosome, random);
        if (HasFatalFailure()) return;
      }
    }
    EXPECT_GT(walk.draws(), 2000U);
  }
}

TEST(ChainBuilderTest, ExpectedFrequenciesAreThoseOfTheTraining) {
  for (const Training& training : Trainings()) ExpectTrainingFrequencies(training, Learn(training));
}

TEST(ChainBuilderTest, FrequenciesHoldForEveryRateOfCrossovers) {
  for (const double crossover : {0.0, 0.06, 1.0}) {
    SCOPED_TRACE(crossover);
    Training training = Mosaics(2, 120, 200, 4);
    training.rules.crossover = crossover;
    const ChainGraph graph = Learn(training);
    ExpectTrainingFrequencies(training, graph);
    size_t crossovers = 0;
    for (uint32_t node = 0; node < graph.nodes(); ++node) {
      if (graph.Step(node) == ChainStep::kCrossover) ++crossovers;
    }
    EXPECT_EQ(crossovers == 0, crossover == 0);
    ContextWalk walk(training, graph);
    std::mt19937_64 random(1);
    for (int round = 0; round < 50 && !HasFatalFailure(); ++round) walk.Run(0, random);
  }
}

// Of two chromosomes that every training row has alike, a walk of one says nothing of the other.
TEST(ChainBuilderTest, ChromosomesAreIndependent) {
  Training training;
  training.rules = {};
  training.starts = {0, 20};
  training.weights.assign(100, 1.0);
  training.codes.assign(40, std::vector<uint8_t>(100));
  for (auto& codes : training.codes) {
    for (size_t row = 0; row < 50; ++row) codes[row] = 1;
  }
  const ChainGraph graph = Learn(training);
  int counts[2][2] = {};
  for (uint64_t sample = 0; sample < 4000; ++sample) {
    const ChainNumbers numbers = {PhiloxStream(1, sample, 0, Purpose::kAllele),
                                  PhiloxStream(1, sample, 0, Purpose::kLatent)};
    std::vector<uint8_t> row(5);
    for (size_t chromosome = 0; chromosome < 2; ++chromosome) WalkChromosome(graph, chromosome, 0, numbers, row);
    const std::vector<uint8_t> codes = [&] {
      std::vector<uint8_t> unpacked(40);
      UnpackCodes(Packing::kHaplotype1Bit, row, unpacked);
      return unpacked;
    }();
    EXPECT_EQ(std::count(codes.begin(), codes.begin() + 20, codes[0]), 20) << "within one they are linked";
    ++counts[codes[0]][codes[20]];
  }
  for (const auto& some : counts) {
    for (const int count : some) EXPECT_NEAR(count, 1000, 130);
  }
}

// Four of 200 rows have an allele that no others have, and all that follows is theirs alone too.
TEST(ChainBuilderTest, WhatFewerThanMinSupportHaveIsNotRemembered) {
  for (const size_t carriers : {4, 5}) {
    Training training;
    training.rules.min_support = 5;
    training.weights.assign(200, 1.0);
    training.codes.assign(12, std::vector<uint8_t>(200));
    for (size_t row = 0; row < carriers; ++row) training.codes[4][row] = training.codes[6][row] = 1;
    const ChainGraph graph = Learn(training);
    // From the node behind the allele at 4, the probability of the one at 6.
    double after = -1;
    for (uint32_t node = 0; node < graph.nodes(); ++node) {
      if (graph.Step(node) != ChainStep::kDraw || graph.First(node) + graph.RunLength(node) != 4) continue;
      uint32_t next = graph.Next(node, 1);
      for (; graph.Step(next) == ChainStep::kJoin && graph.First(next) + graph.RunLength(next) < 7;
           next = graph.Next(next, 0)) {
      }
      const bool runs_on = graph.First(next) + graph.RunLength(next) > 6 && graph.First(next) <= 6;
      if (runs_on) {
        after = RunCode(graph, next, 6 - graph.First(next));
      } else if (graph.Step(next) == ChainStep::kDraw && graph.First(next) + graph.RunLength(next) == 6) {
        after = Probabilities(graph, next)[1];
      }
    }
    if (carriers == 4) {
      // The context is everyone, in whom it is rare; the factor that keeps frequencies adds to its odds, 50 at most.
      const double everyone = 4.0 / 200;
      EXPECT_GE(after, everyone - 1e-9);
      EXPECT_LE(after / (1 - after), 50.001 * everyone / (1 - everyone));
    } else {
      EXPECT_EQ(after, 1) << "five are enough";
    }
  }
}

// With fewer rows than min_support the class is one context: its variants are independent.
TEST(ChainBuilderTest, AClassOfFewRowsHasNoLinkage) {
  Training training = Mosaics(2, 4, 50, 6);
  const ChainGraph graph = Learn(training);
  const Shares expected = ExpectedShares(graph).all;
  const Shares wanted = TrainingShares(training);
  for (size_t v = 0; v < wanted.size(); ++v) EXPECT_NEAR(expected[v][1], wanted[v][1], 1e-6) << v;
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    if (graph.Step(node) != ChainStep::kDraw) continue;
    EXPECT_EQ(graph.Next(node, 0), graph.Next(node, 1));
  }
}

TEST(ChainBuilderTest, ACodeThatNoRowOfTheContextHasIsNeverDrawn) {
  Training training;
  training.symbols = 3;
  training.weights.assign(40, 1.0);
  training.codes = {std::vector<uint8_t>(40), std::vector<uint8_t>(40), std::vector<uint8_t>(40)};
  for (size_t row = 0; row < 20; ++row) {
    training.codes[0][row] = 1;  // 0 and 1
    training.codes[1][row] = 2;  // 0 and 2
    training.codes[2][row] = 1;  // 1 and 2
    training.codes[2][row + 20] = 2;
  }
  training.rules.min_support = 41;
  const ChainGraph graph = Learn(training);
  const std::vector<uint8_t> never = {2, 1, 0};
  int draws = 0;
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    if (graph.Step(node) != ChainStep::kDraw) continue;
    ++draws;
    EXPECT_EQ(Probabilities(graph, node)[never[graph.First(node) + graph.RunLength(node)]], 0);
  }
  EXPECT_EQ(draws, 3);
}

TEST(ChainBuilderTest, TheSameRowsGiveTheSameGraph) {
  for (const Training& training : Trainings()) {
    TensorMap one;
    TensorMap other;
    Learn(training).ToTensors(one);
    Learn(training).ToTensors(other);
    for (const auto& [name, tensor] : one) EXPECT_EQ(tensor.words, other.at(name).words) << name;
  }
}

TEST(ChainBuilderTest, MergedClassesKeepTheirOwnFrequencies) {
  const std::vector<Training> trainings = {Mosaics(2, 120, 100, 1), Mosaics(2, 90, 100, 2), Mosaics(2, 70, 100, 3)};
  std::vector<ChainGraph> graphs;
  graphs.reserve(trainings.size());
  for (const Training& training : trainings) graphs.push_back(Learn(training));
  const ChainGraph merged = MergeClasses(std::vector<const ChainGraph*>{&graphs[0], &graphs[1], &graphs[2]}).value();
  TensorMap tensors;
  ChainGraph(merged).ToTensors(tensors);
  const auto read = ChainGraph::FromTensors(ChainManifest(2, 100, 3), tensors);
  ASSERT_TRUE(read.ok()) << read.status();
  for (size_t kind = 0; kind < 3; ++kind) EXPECT_EQ(ExpectedShares(*read, kind).all, ExpectedShares(graphs[kind]).all);
}

// Walks of a learned graph agree with what it says of itself.
TEST(ChainBuilderTest, WalksHaveTheExpectedFrequencies) {
  const Training training = Mosaics(3, 150, 60, 8);
  const ChainGraph graph = Learn(training);
  const Shares expected = ExpectedShares(graph).all;
  std::vector<double> sums(60);
  std::vector<uint8_t> codes(60);
  constexpr int kWalks = 20000;
  for (uint64_t sample = 0; sample < kWalks; ++sample) {
    std::vector<uint8_t> row(15);
    WalkChromosome(graph, 0, 0,
                   {PhiloxStream(3, sample, 0, Purpose::kAllele), PhiloxStream(3, sample, 0, Purpose::kLatent)}, row);
    UnpackCodes(Packing::kDiploid2Bit, row, codes);
    for (size_t v = 0; v < sums.size(); ++v) sums[v] += codes[v];
  }
  for (size_t v = 0; v < sums.size(); ++v)
    EXPECT_NEAR(sums[v] / kWalks, expected[v][1] + 2 * expected[v][2], 0.025) << v;
}

}  // namespace
}  // namespace genoserve
