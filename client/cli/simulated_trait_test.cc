#include "client/cli/simulated_trait.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "core/base/philox.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kVariants = 60;
constexpr int64_t kSamples = 4000;

// Haplotypes at frequencies from 0.02 to 0.98; variant 7 does not vary.
GenotypeMatrix Haplotypes(int64_t samples) {
  GenotypeMatrix rows(Packing::kHaplotype1Bit, static_cast<size_t>(2 * samples), kVariants);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const PhiloxStream draws(1, row, 0, Purpose::kAllele);
    for (size_t j = 0; j < rows.variants(); ++j) {
      const double frequency = 0.02 + 0.96 * static_cast<double>(j) / kVariants;
      rows.Set(row, j, j != 7 && ToUniform(draws.Bits(static_cast<uint32_t>(j))) < frequency ? 1 : 0);
    }
  }
  return rows;
}

struct Trait {
  std::vector<std::vector<double>> columns;  // [column][sample]
  std::string truth;
  std::string lines;
};

v1::TraitSimulation Options(uint64_t seed) { return DescribeTrait({.wanted = true}, seed); }

// The trait of the rows, whose records are taken in two halves, the second one first, as ranges of a cohort may come.
absl::StatusOr<Trait> Simulate(const v1::TraitSimulation& options, const GenotypeMatrix& rows) {
  const auto samples = static_cast<int64_t>(rows.samples());
  auto trait = SimulatedTrait::Create(options, TestVariants(kVariants), samples);
  if (!trait.ok()) return trait.status();
  const size_t bytes = trait->record_bytes();
  std::vector<uint8_t> records(rows.samples() * bytes, 0xff);
  const auto take = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) trait->Record(rows, i, std::span(records).subspan(i * bytes, bytes));
  };
  take(rows.samples() / 2, rows.samples());
  take(0, rows.samples() / 2);
  const absl::Status finished = trait->Finish([&](absl::FunctionRef<void(std::span<const uint8_t>)> each) {
    for (size_t i = 0; i < rows.samples(); ++i) each(std::span(records).subspan(i * bytes, bytes));
    return absl::OkStatus();
  });
  if (!finished.ok()) return finished;
  Trait result;
  result.columns.resize(trait->columns().size());
  for (int64_t i = 0; i < samples; ++i) {
    std::string line;
    trait->AppendValues(i, &line);
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    EXPECT_EQ(cells.size(), result.columns.size() + 1);
    for (size_t c = 1; c < cells.size(); ++c) result.columns[c - 1].push_back(std::stod(cells[c]));
    result.lines += line + "\n";
  }
  result.truth = trait->Truth();
  return result;
}

struct TrueEffect {
  size_t variant;
  double frequency;
  double beta;
  double share;
};

std::vector<TrueEffect> ReadTruth(const std::string& text) {
  std::map<std::string, size_t> index;
  const VariantTable variants = TestVariants(kVariants);
  for (size_t j = 0; j < variants.size(); ++j) index[variants[j].id] = j;
  std::vector<TrueEffect> effects;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines[0], "#CHROM\tPOS\tID\tA1\tA1_FREQ\tBETA\tSHARE");
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i], '\t');
    const size_t variant = index.at(cells[2]);
    EXPECT_EQ(cells[0], variants[variant].contig);
    EXPECT_EQ(cells[1], std::to_string(variants[variant].position));
    EXPECT_EQ(cells[3], variants[variant].alt);
    effects.push_back({variant, std::stod(cells[4]), std::stod(cells[5]), std::stod(cells[6])});
  }
  return effects;
}

double Mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double Covariance(const std::vector<double>& x, const std::vector<double>& y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += (x[i] - Mean(x)) * (y[i] - Mean(y));
  return sum / static_cast<double>(x.size());
}

// What the truth says that the genotypes add to each sample's trait.
std::vector<double> GeneticValues(const std::vector<TrueEffect>& effects, const GenotypeMatrix& diploid) {
  std::vector<double> values(diploid.rows());
  for (size_t i = 0; i < values.size(); ++i) {
    for (const TrueEffect& effect : effects) values[i] += effect.beta * diploid.Get(i, effect.variant);
  }
  return values;
}

TEST(SimulatedTraitTest, TheTruthExplainsTheHeritability) {
  const GenotypeMatrix diploid = Haplotypes(kSamples).ToDiploid();
  v1::TraitSimulation options = Options(0);
  options.set_heritability(0.4);
  options.set_causal(25);
  options.set_seed(5);
  const auto trait = Simulate(options, diploid);
  ASSERT_TRUE(trait.ok()) << trait.status();
  const std::vector<double>& y = trait->columns[0];
  const std::vector<TrueEffect> effects = ReadTruth(trait->truth);
  ASSERT_EQ(effects.size(), 25u);
  const std::vector<double> g = GeneticValues(effects, diploid);
  EXPECT_NEAR(Covariance(g, g), 0.4, 1e-4);  // digits of the truth file
  std::vector<double> e(y.size());
  for (size_t i = 0; i < y.size(); ++i) e[i] = y[i] - g[i];
  const double error = 4 / std::sqrt(kSamples);
  EXPECT_NEAR(Covariance(e, e), 0.6, 0.6 * error * std::sqrt(2));
  EXPECT_NEAR(Covariance(e, g), 0, error * std::sqrt(0.4 * 0.6));
  EXPECT_NEAR(Mean(y), 0, error);
  double shares = 0;
  for (const TrueEffect& effect : effects) {
    std::vector<double> x(y.size());
    for (size_t i = 0; i < x.size(); ++i) x[i] = diploid.Get(i, effect.variant);
    EXPECT_NEAR(effect.frequency, Mean(x) / 2, 1e-5);
    EXPECT_NEAR(effect.share, effect.beta * effect.beta * Covariance(x, x), 1e-5);
    if (effect.variant == 7) {
      EXPECT_EQ(effect.beta, 0);
    }
    shares += effect.share;
  }
  EXPECT_NEAR(shares, 0.4, 0.1);  // these variants are independent
}

TEST(SimulatedTraitTest, PhaseAndMissingGenotypesDoNotMatter) {
  const GenotypeMatrix haplotypes = Haplotypes(500);
  v1::TraitSimulation options = Options(0);
  options.set_seed(3);
  const auto phased = Simulate(options, haplotypes);
  GenotypeMatrix diploid = haplotypes.ToDiploid();
  const auto unphased = Simulate(options, diploid);
  ASSERT_TRUE(phased.ok() && unphased.ok());
  EXPECT_EQ(phased->lines, unphased->lines);
  EXPECT_EQ(phased->truth, unphased->truth);
  // A missing genotype counts as the mean of the others.
  const size_t causal = ReadTruth(unphased->truth).front().variant;
  diploid.Set(0, causal, kMissingGenotype);
  const auto missing = Simulate(options, diploid);
  ASSERT_TRUE(missing.ok());
  const std::vector<double>& y = missing->columns[0];
  EXPECT_TRUE(std::all_of(y.begin(), y.end(), [](double value) { return std::abs(value) < 10; }));
}

TEST(SimulatedTraitTest, PrevalenceMakesTheHighestLiabilitiesCases) {
  v1::TraitSimulation options = Options(0);
  options.set_prevalence(0.123);
  options.set_seed(8);
  const auto trait = Simulate(options, Haplotypes(1000));
  ASSERT_TRUE(trait.ok()) << trait.status();
  double lowest_case = 100;
  double highest_control = -100;
  for (size_t i = 0; i < 1000; ++i) {
    if (trait->columns[1][i] == 2) {
      lowest_case = std::min(lowest_case, trait->columns[0][i]);
    } else {
      EXPECT_EQ(trait->columns[1][i], 1);
      highest_control = std::max(highest_control, trait->columns[0][i]);
    }
  }
  EXPECT_EQ(std::count(trait->columns[1].begin(), trait->columns[1].end(), 2), 123);
  EXPECT_LT(highest_control, lowest_case);
  // The liability is the trait without a prevalence.
  options.set_prevalence(0);
  EXPECT_EQ(Simulate(options, Haplotypes(1000))->columns[0], trait->columns[0]);
}

// Without noise, a single causal variant gives three liabilities.
TEST(SimulatedTraitTest, EqualLiabilitiesAreCasesInTheOrderOfSamples) {
  constexpr size_t kCohort = 200;
  const GenotypeMatrix diploid = Haplotypes(kCohort).ToDiploid();
  for (const double prevalence : {0.1, 0.5, 0.9}) {
    v1::TraitSimulation options = Options(0);
    options.set_heritability(1);
    options.set_causal(1);
    options.set_prevalence(prevalence);
    options.set_seed(2);
    const auto trait = Simulate(options, diploid);
    ASSERT_TRUE(trait.ok()) << trait.status();
    const std::vector<double>& y = trait->columns[0];
    ASSERT_LE(std::set<double>(y.begin(), y.end()).size(), 3u);
    std::vector<size_t> order(kCohort);
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return y[a] > y[b]; });
    const auto cases = static_cast<size_t>(std::lround(prevalence * kCohort));
    for (size_t rank = 0; rank < kCohort; ++rank) {
      EXPECT_EQ(trait->columns[1][order[rank]], rank < cases ? 2 : 1) << prevalence << ' ' << rank;
    }
  }
}

TEST(SimulatedTraitTest, TheEndsOfHeritability) {
  v1::TraitSimulation options = Options(0);
  options.set_heritability(1);
  const GenotypeMatrix diploid = Haplotypes(400).ToDiploid();
  const auto all = Simulate(options, diploid);
  ASSERT_TRUE(all.ok());
  const std::vector<double> g = GeneticValues(ReadTruth(all->truth), diploid);
  EXPECT_NEAR(Covariance(g, all->columns[0]), 1, 1e-4);
  options.set_heritability(0);
  const auto none = Simulate(options, diploid);
  ASSERT_TRUE(none.ok());
  for (const TrueEffect& effect : ReadTruth(none->truth)) EXPECT_EQ(effect.beta, 0);
  EXPECT_NEAR(Covariance(none->columns[0], none->columns[0]), 1, 4 * std::sqrt(2.0 / 400));
}

// A trait that was simulated once must be simulated again by every later version.
TEST(SimulatedTraitTest, TheSameSeedGivesTheSameTrait) {
  v1::TraitSimulation options = Options(0);
  options.set_causal(3);
  options.set_prevalence(0.5);
  options.set_seed(42);
  const auto trait = Simulate(options, Haplotypes(4));
  ASSERT_TRUE(trait.ok()) << trait.status();
  EXPECT_EQ(trait->lines, "\t0.87332\t2\n\t-0.664396\t1\n\t1.16095\t2\n\t0.22465\t1\n");
  EXPECT_EQ(trait->truth,
            "#CHROM\tPOS\tID\tA1\tA1_FREQ\tBETA\tSHARE\n1\t2400\trs23\tC\t0.25\t4.82183\t5.8125\n"
            "1\t2700\trs26\tC\t0.625\t1.12161\t0.235875\n2\t500\trs34\tC\t0.75\t6.55353\t10.7372\n");
  options.set_seed(43);
  EXPECT_NE(Simulate(options, Haplotypes(4))->truth, trait->truth);
}

TEST(SimulatedTraitTest, RefusesWhatGivesNoTrait) {
  const auto error = [](const TraitArguments& arguments) {
    absl::Status status = CheckTraitArguments(arguments);
    if (status.ok()) status = Simulate(DescribeTrait(arguments, 0), Haplotypes(20)).status();
    return std::string(status.message());
  };
  for (const double h2 : {-0.1, 1.1, std::nan("")}) {
    EXPECT_THAT(error({.wanted = true, .heritability = h2}),
                AllOf(StartsWith("--heritability: "), HasSubstr("from 0 to 1")));
  }
  EXPECT_THAT(error({.wanted = true, .causal = 0}), StartsWith("--causal: 0 is not"));
  EXPECT_THAT(error({.wanted = true, .causal = 61}), HasSubstr("61 of 60 variants"));
  EXPECT_THAT(error({.wanted = true, .prevalence = 1}), StartsWith("--prevalence: 1 is not"));
  EXPECT_THAT(error({.wanted = true, .prevalence = 0.01}),
              HasSubstr("0.01 of 20 samples are 0 cases, so that there is no case"));
  EXPECT_THAT(error({.wanted = true, .prevalence = 0.99}), HasSubstr("no control"));
  EXPECT_EQ(error({.seed = 4}), "--simulate-seed: goes with --simulate-pheno");
  EXPECT_EQ(error({.heritability = 0.5}), "--heritability: goes with --simulate-pheno");
  EXPECT_TRUE(CheckTraitArguments({}).ok());
  // Nobody differs from anybody.
  const auto alike = Simulate(Options(0), GenotypeMatrix(Packing::kDiploid2Bit, 20, kVariants));
  EXPECT_EQ(alike.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(alike.status().message()), HasSubstr("--simulate-seed"));
}

TEST(SimulatedTraitTest, WhatIsNotGivenHasDefaults) {
  const v1::TraitSimulation trait = DescribeTrait({.wanted = true}, 17);
  EXPECT_EQ(trait.heritability(), 0.5);
  EXPECT_EQ(trait.prevalence(), 0);
  EXPECT_EQ(trait.causal(), 10);
  EXPECT_EQ(trait.seed(), 17u);
  EXPECT_EQ(DescribeTrait({.wanted = true, .seed = 3}, 17).seed(), 3u);
}

}  // namespace
}  // namespace genoserve
