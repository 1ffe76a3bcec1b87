// The figures of coverage and of closest records against what tests/quality/distances.py computes of the same cohorts.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/quality/coverage.h"
#include "core/quality/families.h"
#include "core/quality/nearest_privacy.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

constexpr size_t kSamples = 60;
constexpr size_t kVariants = 330;

// A copy of `cohort` with sample to[i] replaced by sample from[i] of `source`.
Cohort Replace(const Cohort& cohort, const std::vector<size_t>& to, const Cohort& source,
               const std::vector<size_t>& from) {
  Cohort changed = cohort;
  const size_t per_sample = RowsPerSample(cohort.genotypes.packing());
  for (size_t i = 0; i < to.size(); ++i) {
    for (size_t row = 0; row < per_sample; ++row) {
      const std::span<const uint8_t> bytes = source.genotypes.Row(from[i] * per_sample + row);
      std::copy(bytes.begin(), bytes.end(), changed.genotypes.MutableRow(to[i] * per_sample + row).begin());
    }
  }
  return changed;
}

// The cohorts of make() in distances.py; members and hold-out stand for the whole training and hold-out.
QualitySets OracleSets(bool phased) {
  QualitySets sets;
  sets.seed = 11;
  sets.members = TestCohort(201, kSamples, kVariants, phased);
  sets.holdout = TestCohort(202, kSamples, kVariants, phased);
  Cohort synthetic = TestCohort(203, kSamples, kVariants, phased);
  std::vector<size_t> first(10);
  std::iota(first.begin(), first.end(), size_t{0});
  synthetic = Replace(synthetic, first, sets.members, first);
  synthetic = Replace(synthetic, {10, 11, 12, 13, 14}, synthetic, {15, 15, 15, 15, 15});
  Cohort naive;
  naive.genotypes = TestHaplotypes(205, kSamples, kVariants, 2, 2);
  if (!phased) naive.genotypes = naive.genotypes.ToDiploid();
  naive.labels = sets.holdout.labels;
  sets.candidates = {std::move(synthetic), TestCohort(204, kSamples, kVariants, phased), std::move(naive)};
  sets.whole_training = sets.members;
  sets.whole_holdout = sets.holdout;
  sets.whole_synthetic = sets.candidates[0];
  return sets;
}

v1::Quality Measure(const QualitySets& sets) {
  v1::Quality quality;
  MeasureDistances(sets, &quality);
  return quality;
}

const v1::Figure& Find(const v1::Quality& quality, const std::string& name) {
  for (const v1::Figure& figure : quality.figures()) {
    if (figure.name() == name) return figure;
  }
  ADD_FAILURE() << name << " was not measured";
  return v1::Figure::default_instance();
}

// The synthetic cohort's value.
double Value(const v1::Quality& quality, const std::string& name) { return Find(quality, name).value(); }

TEST(DistanceFiguresTest, EqualTheOracle) {
  std::ifstream file("core/quality/testdata/distances.json");
  const nlohmann::json expected = nlohmann::json::parse(file);
  for (const bool phased : {false, true}) {
    const nlohmann::json& of_packing = expected[phased ? "haplotypes" : "diploid"];
    const v1::Quality quality = Measure(OracleSets(phased));
    ASSERT_EQ(static_cast<size_t>(quality.figures_size()), of_packing["synthetic"].size());
    for (const v1::Figure& figure : quality.figures()) {
      SCOPED_TRACE(figure.name());
      ASSERT_EQ(figure.reason(), "");
      // Shares of pairs are kept in single precision.
      const double accuracy = figure.name() == "cover.pairwise_w1" ? 1e-6 : 1e-9;
      EXPECT_NEAR(figure.value(), of_packing["synthetic"][figure.name()].get<double>(), accuracy);
      EXPECT_NEAR(figure.floor().value(), of_packing["floor"][figure.name()].get<double>(), accuracy);
      EXPECT_NEAR(figure.naive().value(), of_packing["naive"][figure.name()].get<double>(), accuracy);
      EXPECT_LE(figure.low(), figure.value() + 1e-12);
      EXPECT_GE(figure.high(), figure.value() - 1e-12);
    }
  }
}

TEST(DistanceFiguresTest, AreThoseOfTheCatalogue) {
  const v1::Quality quality = Measure(OracleSets(true));
  std::vector<std::string> measured;
  for (const v1::Figure& figure : quality.figures()) measured.push_back(figure.name());
  std::vector<std::string> listed;
  for (const std::span<const FigureInfo> list : {CoverageFigures(), NearestPrivacyFigures()}) {
    for (const FigureInfo& figure : list) listed.emplace_back(figure.name);
  }
  EXPECT_EQ(measured, listed);
  EXPECT_EQ(PrivacyFigures().front().name, NearestPrivacyFigures().front().name);
  EXPECT_GT(PrivacyFigures().size(), NearestPrivacyFigures().size());
}

TEST(DistanceFiguresTest, CountWhatTheyAreOver) {
  const v1::Quality quality = Measure(OracleSets(true));
  EXPECT_EQ(Find(quality, "cover.precision").n(), 120);
  EXPECT_EQ(Find(quality, "privacy.aa").n(), 120);
  EXPECT_EQ(Find(quality, "privacy.windows_excess").n(), 120 * 8);
  EXPECT_EQ(Find(quality, "privacy.identical_training").n(), 120);
}

// The privacy figures must shout at copies, and the floor must not.
TEST(DistanceFiguresTest, CopiesOfTheMembers) {
  for (const bool phased : {false, true}) {
    QualitySets sets = OracleSets(phased);
    sets.candidates[0] = sets.members;
    sets.whole_synthetic = sets.members;
    const v1::Quality quality = Measure(sets);
    EXPECT_LT(Value(quality, "privacy.aa"), 0.1);
    EXPECT_GT(Value(quality, "privacy.loss"), 0.35);
    EXPECT_GT(Find(quality, "privacy.loss").low(), 0.25);
    EXPECT_EQ(Value(quality, "privacy.identical_training"), 1);
    EXPECT_EQ(Value(quality, "privacy.near_training"), 1);
    EXPECT_LE(Find(quality, "privacy.near_training").floor().value(), 0.02);
    EXPECT_EQ(Value(quality, "privacy.identical_members"), 1);
    EXPECT_EQ(Value(quality, "privacy.identical_excess"), 1);
    EXPECT_EQ(Value(quality, "privacy.windows_members"), 1);
    EXPECT_GT(Value(quality, "privacy.windows_excess"), 0.8);
    EXPECT_EQ(Value(quality, "privacy.dcr_share"), 1);
    EXPECT_EQ(Value(quality, "privacy.dcr_p5_ratio"), 0);
    EXPECT_NEAR(Find(quality, "privacy.aa").floor().value(), 0.5, 0.06);
    EXPECT_NEAR(Find(quality, "privacy.dcr_share").floor().value(), 0.5, 0.1);
    EXPECT_NEAR(Find(quality, "privacy.loss").floor().value(), 0, 0.1);
  }
}

// Copies of training people who are no members, one genotype in fifty changed: no row is identical, and the equalised
// cohorts cannot see it.
TEST(DistanceFiguresTest, ChangedCopiesOfTrainingPeople) {
  QualitySets sets = OracleSets(false);
  Cohort& copies = sets.whole_synthetic;
  copies = TestCohort(206, kSamples, kVariants, false);
  sets.whole_training = copies;
  sets.candidates[0] = copies;
  for (size_t row = 0; row < kSamples; ++row) {
    for (size_t v = 0; v < kVariants; v += 50) copies.genotypes.Set(row, v, (copies.genotypes.Get(row, v) + 1) % 3);
  }
  const v1::Quality quality = Measure(sets);
  EXPECT_EQ(Value(quality, "privacy.identical_training"), 0);
  EXPECT_EQ(Value(quality, "privacy.near_training"), 1);
  EXPECT_NEAR(Value(quality, "privacy.loss"), 0, 0.15);
}

// A generator that makes one person again and again, a little changed: adversarial accuracy alone may look good.
TEST(DistanceFiguresTest, CollapsedGenerator) {
  QualitySets sets = OracleSets(false);
  Cohort& collapsed = sets.candidates[0];
  for (size_t row = 0; row < kSamples; ++row) {
    for (size_t v = 0; v < kVariants; ++v) {
      const int genotype = sets.holdout.genotypes.Get(0, v);
      collapsed.genotypes.Set(row, v, v % kSamples == row ? 2 - genotype : genotype);
    }
  }
  const v1::Quality quality = Measure(sets);
  EXPECT_LT(Value(quality, "cover.recall"), 0.1);
  EXPECT_LT(Value(quality, "cover.pairwise_mean_ratio"), 0.1);
  EXPECT_GT(Value(quality, "privacy.aa_syn"), 0.99);
  EXPECT_GT(Value(quality, "cover.pairwise_w1"), 10 * Find(quality, "cover.pairwise_w1").floor().value());
}

TEST(DistanceFiguresTest, WhatHasNoDistanceSaysWhy) {
  QualitySets sets = OracleSets(false);
  for (Cohort* cohort : {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1], &sets.candidates[2]}) {
    cohort->genotypes = GenotypeMatrix(Packing::kDiploid2Bit, kSamples, kVariants);
  }
  const v1::Quality quality = Measure(sets);
  EXPECT_NE(Find(quality, "privacy.dcr_median_ratio").reason(), "");
  EXPECT_FALSE(Find(quality, "privacy.dcr_median_ratio").has_value());
  EXPECT_NE(Find(quality, "cover.pairwise_mean_ratio").reason(), "");
  EXPECT_EQ(Value(quality, "privacy.aa"), 0.5);
  EXPECT_EQ(Value(quality, "privacy.aa_tie_share"), 1);
}

TEST(DistanceFiguresTest, ChartsAreSharesByDistance) {
  const v1::Quality quality = Measure(OracleSets(true));
  ASSERT_EQ(quality.charts_size(), 2);
  EXPECT_EQ(quality.charts(0).name(), "distance.pairwise");
  EXPECT_EQ(quality.charts(0).series_size(), 4);
  EXPECT_EQ(quality.charts(1).name(), "distance.closest");
  EXPECT_EQ(quality.charts(1).series_size(), 3);
  for (const v1::Chart& chart : quality.charts()) {
    for (const v1::Series& series : chart.series()) {
      EXPECT_LE(series.x_size(), 60);
      EXPECT_EQ(series.x_size(), series.y_size());
      EXPECT_NEAR(std::accumulate(series.y().begin(), series.y().end(), 0.0), 1, 1e-5);
      EXPECT_TRUE(std::is_sorted(series.x().begin(), series.x().end()));
    }
  }
  // Ten of the sixty synthetic samples are members: the first bin of the closest records begins at 0.
  EXPECT_EQ(quality.charts(1).series(0).x(0), 0);
  EXPECT_GE(quality.charts(1).series(0).y(0), 1.0 / 6 - 1e-6);
}

}  // namespace
}  // namespace genoserve
