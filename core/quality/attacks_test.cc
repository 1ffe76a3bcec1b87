#include "core/quality/attacks.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/quality/families.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

Cohort WithoutLabels(GenotypeMatrix genotypes) {
  Cohort cohort;
  cohort.genotypes = std::move(genotypes);
  return cohort;
}

// The cohorts of tests/quality/attacks.py.
QualitySets OracleSets(bool phased) {
  QualitySets sets = TestSets(80, 300, true);  // for its variants
  const auto form = [phased](const GenotypeMatrix& genotypes) {
    return WithoutLabels(phased ? genotypes : genotypes.ToDiploid());
  };
  const GenotypeMatrix training = TestHaplotypes(101, 160, 300);
  const auto part = [&](size_t first) {
    std::vector<size_t> samples(40);
    std::iota(samples.begin(), samples.end(), first);
    return form(training.SelectSamples(samples));
  };
  GenotypeMatrix synthetic = TestHaplotypes(103, 40, 300);
  for (size_t row = 0; row < 24; ++row) std::ranges::copy(training.Row(row), synthetic.MutableRow(row).begin());

  sets.labels.clear();
  sets.whole_training = form(training);
  sets.whole_holdout = sets.holdout = form(TestHaplotypes(102, 40, 300));
  sets.whole_synthetic = sets.candidates[0] = form(synthetic);
  sets.members = part(0);
  sets.candidates[1] = part(40);
  sets.reference = part(80);
  sets.candidates[2] = form(TestHaplotypes(104, 40, 300, 2, 9));
  return sets;
}

std::map<std::string, v1::Figure> FiguresOf(const QualitySets& sets) {
  v1::Quality quality;
  MeasureAttacks(sets, &quality);
  std::map<std::string, v1::Figure> figures;
  for (const v1::Figure& figure : quality.figures()) {
    figures[figure.label().empty() ? figure.name() : absl::StrCat(figure.name(), "/", figure.label())] = figure;
  }
  return figures;
}

class AttacksOracleTest : public ::testing::TestWithParam<bool> {};

TEST_P(AttacksOracleTest, AsPlink2AndScikitLearnCompute) {
  nlohmann::json expected;
  std::ifstream("core/quality/testdata/attacks.json") >> expected;
  const std::map<std::string, v1::Figure> figures = FiguresOf(OracleSets(GetParam()));
  std::map<std::string, std::vector<double>> all = expected["figures"];
  EXPECT_EQ(all.size(), 6U);
  all.merge(
      expected[GetParam() ? "haplotypes" : "diploid"]["figures"].get<std::map<std::string, std::vector<double>>>());
  EXPECT_EQ(all.size(), 6U + 9U);
  for (const auto& [name, values] : all) {
    ASSERT_TRUE(figures.count(name)) << name;
    const v1::Figure& figure = figures.at(name);
    // The rates at 1 % are read off a fine grid there.
    EXPECT_NEAR(figure.value(), values[0], 2e-6) << name;
    EXPECT_NEAR(figure.floor().value(), values[1], 2e-6) << name;
    EXPECT_NEAR(figure.naive().value(), values[2], 2e-6) << name;
    EXPECT_EQ(figure.n(), 40) << name;
    EXPECT_LE(figure.low(), figure.value()) << name;
    EXPECT_GE(figure.high(), figure.value()) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, AttacksOracleTest, ::testing::Bool());

TEST(AttacksTest, ACopyOfTheTrainingShoutsAndAnotherHalfDoesNot) {
  for (const bool phased : {true, false}) {
    QualitySets sets = TestSets(400, 600, phased);
    sets.candidates[0] = sets.members;
    sets.whole_synthetic = sets.whole_training;
    std::map<std::string, v1::Figure> figures = FiguresOf(sets);
    EXPECT_EQ(figures["kinship.duplicates"].value(), 1);
    EXPECT_EQ(figures["kinship.duplicates"].floor().value(), 0);
    EXPECT_EQ(figures["kinship.duplicates_excess"].value(), 1);
    EXPECT_EQ(figures["kinship.relatives_excess"].value(), 1);
    EXPECT_EQ(figures["kinship.duplicates_training"].value(), 1);
    EXPECT_EQ(figures["kinship.duplicates_training"].n(), 400);
    EXPECT_EQ(figures["kinship.duplicates_training"].floor().value(), 0);
    EXPECT_EQ(figures["kinship.first_degree"].value(), 0);
    for (const char* const attack : {"distance", "density ratio", "homer"}) {
      // Pooled frequencies tell less where few variants are linked; naive draws repeat the training's frequencies.
      const bool homer = absl::string_view(attack) == "homer";
      const v1::Figure& auc = figures[absl::StrCat("mia.auc/", attack)];
      const v1::Figure& advantage = figures[absl::StrCat("mia.advantage/", attack)];
      EXPECT_GT(auc.value(), homer ? 0.65 : 0.97) << attack;
      EXPECT_GT(auc.low(), homer ? 0.6 : 0.95) << attack;
      EXPECT_NEAR(auc.floor().value(), 0.5, 0.1) << attack;
      EXPECT_LT(auc.naive().value(), homer ? 0.65 : 0.62) << attack;
      EXPECT_GT(advantage.value(), homer ? 0.25 : 0.8) << attack;
      EXPECT_NEAR(advantage.floor().value(), 0, 0.15) << attack;
    }
    EXPECT_EQ(figures["mia.tpr_at_1_fpr/distance"].value(), 1);
    EXPECT_LT(figures["mia.tpr_at_1_fpr/distance"].floor().value(), 0.1);
    EXPECT_GT(figures["attribute.advantage"].low(), 0.02);
    EXPECT_NEAR(figures["attribute.advantage"].floor().value(), 0, 0.02);
    EXPECT_NEAR(figures["attribute.advantage"].value(),
                figures["attribute.accuracy_members"].value() - figures["attribute.accuracy_holdout"].value(), 1e-12);
  }
}

TEST(AttacksTest, WithoutAReferenceTheFloorTakesItsPlace) {
  QualitySets sets = TestSets(400, 300, true);
  sets.reference = {};
  sets.candidates[0] = sets.members;
  std::map<std::string, v1::Figure> figures = FiguresOf(sets);
  for (const char* const attack : {"density ratio", "homer"}) {
    EXPECT_GT(figures[absl::StrCat("mia.auc/", attack)].value(), 0.65) << attack;
    EXPECT_NEAR(figures[absl::StrCat("mia.auc/", attack)].floor().value(), 0.5, 0.1) << attack;
  }
}

TEST(AttacksTest, EveryFigureIsListedAndEveryListedOneIsThere) {
  std::set<std::string> names;
  for (const auto& [key, figure] : FiguresOf(TestSets(100, 200, false))) names.insert(figure.name());
  std::set<std::string> listed;
  for (const FigureInfo& figure : AttackFigures()) {
    EXPECT_EQ(figure.family, Family::kPrivacy);
    EXPECT_TRUE(listed.insert(std::string(figure.name)).second) << figure.name;
  }
  EXPECT_EQ(names, listed);
}

TEST(AttacksTest, Charts) {
  const QualitySets sets = TestSets(100, 200, true);
  v1::Quality quality;
  MeasureAttacks(sets, &quality);
  ASSERT_EQ(quality.charts_size(), 2);
  const v1::Chart& kinship = quality.charts(0);
  EXPECT_EQ(kinship.name(), "kinship.histogram");
  ASSERT_EQ(kinship.series_size(), 2);
  for (const v1::Series& series : kinship.series()) {
    EXPECT_NEAR(std::accumulate(series.y().begin(), series.y().end(), 0.0), 1, 1e-5);
    EXPECT_EQ(series.x_size(), series.y_size());
  }
  const v1::Chart& roc = quality.charts(1);
  EXPECT_EQ(roc.name(), "roc.attacks");
  ASSERT_EQ(roc.series_size(), 4);
  for (const v1::Series& series : roc.series()) {
    EXPECT_LE(series.x_size(), 200);
    EXPECT_EQ(series.x(0), 0);
    EXPECT_EQ(series.y(series.y_size() - 1), 1);
    EXPECT_TRUE(std::is_sorted(series.y().begin(), series.y().end()));
  }
}

TEST(AttacksTest, KinshipThatCannotBeComputedSaysWhy) {
  EXPECT_THAT(FiguresOf(TestSets(100, 50, false))["kinship.duplicates"].reason(), HasSubstr("100 variants"));

  QualitySets inbred = TestSets(100, 300, false);
  for (Cohort* const cohort : {&inbred.whole_training, &inbred.members}) {
    for (size_t i = 0; i < cohort->samples(); ++i) {
      for (size_t v = 0; v < 300; ++v) {
        if (cohort->genotypes.Get(i, v) == 1) cohort->genotypes.Set(i, v, 2);
      }
    }
  }
  std::map<std::string, v1::Figure> figures = FiguresOf(inbred);
  EXPECT_THAT(figures["kinship.duplicates_training"].reason(), HasSubstr("heterozygous"));
  EXPECT_TRUE(figures["mia.auc/distance"].reason().empty());
}

TEST(AttacksTest, ASingleVariantHasNoHiddenOne) {
  EXPECT_FALSE(FiguresOf(TestSets(100, 1, false))["attribute.advantage"].reason().empty());
}

}  // namespace
}  // namespace genoserve
