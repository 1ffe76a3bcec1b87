#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/use_test_sets.h"

namespace genoserve {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

v1::Quality Measured(const QualitySets& sets) {
  v1::Quality quality;
  MeasureUse(sets, &quality);
  return quality;
}

const v1::Figure& FigureOf(const v1::Quality& quality, absl::string_view name, absl::string_view label) {
  for (const v1::Figure& figure : quality.figures()) {
    if (figure.name() == name && figure.label() == label) return figure;
  }
  ADD_FAILURE() << "no figure " << name << " of '" << label << "'";
  return v1::Figure::default_instance();
}

// A figure of the synthetic cohort, the floor and the naive draws is what the oracle says.
void ExpectFigure(const v1::Figure& figure, const nlohmann::json& expected) {
  SCOPED_TRACE(figure.name() + " " + figure.label());
  EXPECT_NEAR(figure.value(), expected[0].get<double>(), 1e-9);
  EXPECT_NEAR(figure.floor().value(), expected[1].get<double>(), 1e-9);
  EXPECT_NEAR(figure.naive().value(), expected[2].get<double>(), 1e-9);
  EXPECT_LE(figure.low(), figure.value());
  EXPECT_GE(figure.high(), figure.value());
  EXPECT_LT(figure.low(), figure.high());
}

// A copy of the training as the synthetic cohort.
QualitySets CopySets() {
  QualitySets sets = UseTestSets(true);
  sets.candidates[0] = sets.members;
  return sets;
}

class UseOracleTest : public ::testing::TestWithParam<bool> {
 protected:
  UseOracleTest() : sets_(UseTestSets(GetParam())), quality_(Measured(sets_)) {
    expected_ = nlohmann::json::parse(std::ifstream("core/quality/testdata/use.json"));
  }
  const v1::Figure& Figure(absl::string_view name, absl::string_view label) { return FigureOf(quality_, name, label); }

  QualitySets sets_;
  v1::Quality quality_;
  nlohmann::json expected_;
};

TEST_P(UseOracleTest, ClassifiersAreThoseOfScikitLearn) {
  for (const char* classifier : {"nearest neighbours", "linear"}) {
    ExpectFigure(Figure("use.label_accuracy", classifier), expected_["accuracy"][classifier]);
    EXPECT_EQ(Figure("use.label_accuracy", classifier).n(), kUseTestSamples);
    ExpectFigure(Figure("use.augmented_gain", classifier), expected_["gain"][classifier]);
  }
}

TEST_P(UseOracleTest, LabelsAreRecoveredAsScikitLearnDoes) {
  for (const char* label : {"", "A", "B", "C"}) {
    ExpectFigure(Figure("use.label_recovered", label), expected_["recovered"][label]);
  }
}

TEST_P(UseOracleTest, PhenotypesArePredictedAsScikitLearnDoes) {
  ExpectFigure(Figure("use.request_r", "height"), expected_["request_r"]);
  ExpectFigure(Figure("use.pheno_r", "height"), expected_["pheno_r"]);
  ExpectFigure(Figure("use.pheno_r2", "height"), expected_["pheno_r2"]);
  for (const char* name : {"case", "type"}) {
    ExpectFigure(Figure("use.request_recovered", name), expected_["request_recovered"][name]);
    ExpectFigure(Figure("use.pheno_auc", name), expected_["pheno_auc"][name]);
  }
  // Seven of 80 heights are missing.
  EXPECT_EQ(Figure("use.request_r", "height").n(), 73);
}

TEST_P(UseOracleTest, AssociationsAreThoseOfLeastSquares) {
  for (const char* name : {"height", "case"}) {
    const nlohmann::json& gwas = expected_["gwas"][name];
    EXPECT_EQ(Figure("gwas.beta_r", name).n(), gwas[0]["tested"].get<int64_t>());
    ExpectFigure(Figure("gwas.beta_r", name), {gwas[0]["beta_r"], gwas[1]["beta_r"], gwas[2]["beta_r"]});
    ExpectFigure(Figure("gwas.lambda_gc", name), {gwas[0]["lambda"], gwas[1]["lambda"], gwas[2]["lambda"]});
  }
  const nlohmann::json& height = expected_["gwas"]["height"];
  const v1::Figure& overlap = Figure("gwas.hit_overlap", "height");
  ASSERT_GT(height[0]["overlap"].get<double>(), 0);
  EXPECT_NEAR(overlap.value(), height[0]["overlap"].get<double>(), 1e-12);
  EXPECT_NEAR(overlap.floor().value(), height[1]["overlap"].get<double>(), 1e-12);
  EXPECT_EQ(overlap.naive().value(), 0);
  EXPECT_EQ(overlap.n(), height[0]["hits"].get<int64_t>());
  EXPECT_THAT(Figure("gwas.hit_overlap", "case").reason(), HasSubstr("No variant is associated"));
}

INSTANTIATE_TEST_SUITE_P(Packings, UseOracleTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Haplotypes" : "Diploid"; });

TEST(UseTest, EveryFigureIsInTheCatalogueAndHasOneEntry) {
  std::set<std::string> known;
  for (const FigureInfo& info : UseFigures()) {
    EXPECT_TRUE(known.insert(std::string(info.name)).second) << info.name;
    EXPECT_EQ(info.family, Family::kUse);
  }
  std::set<std::string> emitted;
  const v1::Quality quality = Measured(UseTestSets(false));
  for (const v1::Figure& figure : quality.figures()) emitted.insert(figure.name());
  EXPECT_EQ(emitted, known);
}

TEST(UseTest, ACopyOfTheTrainingIsAboveTheFloor) {
  const v1::Quality quality = Measured(CopySets());
  const v1::Figure& request = FigureOf(quality, "use.request_r", "height");
  EXPECT_GT(request.low(), request.floor().high());
  const v1::Figure& labels = FigureOf(quality, "use.label_recovered", "");
  EXPECT_GT(labels.low(), labels.floor().high());
  EXPECT_NEAR(FigureOf(quality, "gwas.beta_r", "height").value(), 1, 1e-12);
  EXPECT_EQ(FigureOf(quality, "gwas.hit_overlap", "height").value(), 1);
}

TEST(UseTest, RealSamplesAreAsTheFloorAndNaiveOnesPredictNoPhenotype) {
  QualitySets sets = UseTestSets(true);
  sets.candidates[0] = UseTestCohort(306, true);
  const v1::Quality quality = Measured(sets);
  for (const char* name : {"use.request_r", "use.pheno_r", "gwas.beta_r"}) {
    SCOPED_TRACE(name);
    const v1::Figure& figure = FigureOf(quality, name, "height");
    EXPECT_NEAR(figure.value(), figure.floor().value(), 0.2);
    EXPECT_NEAR(figure.naive().value(), 0, 0.25);
    EXPECT_GT(figure.low(), figure.naive().value());
  }
}

TEST(UseTest, LabelsOfDistinctPopulationsAreLearntByEachClassifierButNotFromShuffledOnes) {
  QualitySets sets = TestSets(320, 200, true);
  for (int& label : sets.candidates[0].labels) label = 0;
  for (size_t i = 0; i < sets.n(); i += 2) sets.candidates[0].labels[i] = 1;
  const v1::Quality quality = Measured(sets);
  for (const char* classifier : {"nearest neighbours", "linear", "network"}) {
    SCOPED_TRACE(classifier);
    const v1::Figure& accuracy = FigureOf(quality, "use.label_accuracy", classifier);
    EXPECT_GT(accuracy.floor().value(), 0.97);
    EXPECT_GT(accuracy.naive().value(), 0.97);
    EXPECT_LT(accuracy.high(), 0.85);
  }
  const v1::Figure& recovered = FigureOf(quality, "use.label_recovered", "");
  EXPECT_NEAR(recovered.value(), 0.5, 0.1);
  EXPECT_GT(recovered.floor().value(), 0.97);
}

TEST(UseTest, SaysWhatIsLackingInOneSentence) {
  QualitySets sets = TestSets(160, 60, false);
  sets.labels.clear();
  for (Cohort* cohort : {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1], &sets.candidates[2]}) {
    cohort->labels.clear();
  }
  const v1::Quality quality = Measured(sets);
  ASSERT_EQ(quality.figures_size(), static_cast<int>(UseFigures().size()));
  for (const v1::Figure& figure : quality.figures()) {
    EXPECT_FALSE(figure.has_value());
    EXPECT_EQ(figure.reason(), figure.name() == "use.label_accuracy" || figure.name() == "use.augmented_gain" ||
                                       figure.name() == "use.label_recovered"
                                   ? "The cohorts have no population labels."
                                   : "The cohorts have no phenotypes.");
  }
}

TEST(UseTest, SyntheticSamplesWithoutPhenotypesLeaveFloorAndNaive) {
  QualitySets sets = UseTestSets(false);
  sets.candidates[0].phenotypes.clear();
  const v1::Quality quality = Measured(sets);
  for (const char* name : {"use.request_r", "use.pheno_r", "gwas.beta_r", "gwas.lambda_gc"}) {
    SCOPED_TRACE(name);
    const v1::Figure& figure = FigureOf(quality, name, "height");
    EXPECT_FALSE(figure.has_value());
    EXPECT_EQ(figure.reason(), "Phenotype height is not known of the synthetic samples.");
    EXPECT_TRUE(figure.has_floor());
    EXPECT_TRUE(figure.has_naive());
  }
}

TEST(UseTest, APhenotypeThatTheLabelFixesHasNoAssociations) {
  QualitySets sets = UseTestSets(false);
  for (Cohort* cohort : {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1]}) {
    for (size_t i = 0; i < cohort->samples(); ++i) cohort->phenotypes[0][i] = cohort->labels[i] == 0 ? 0.1 : 0.7;
  }
  const v1::Quality quality = Measured(sets);
  for (const char* name : {"gwas.beta_r", "gwas.hit_overlap", "gwas.lambda_gc"}) {
    EXPECT_THAT(FigureOf(quality, name, "height").reason(), testing::HasSubstr("does not vary within the labels"))
        << name;
  }
}

TEST(UseTest, ConstantRareAndManyLeveledPhenotypesAreRefused) {
  QualitySets sets = UseTestSets(false);
  for (Cohort* cohort : {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1]}) {
    std::fill(cohort->phenotypes[0].begin(), cohort->phenotypes[0].end(), 3);
    std::fill(cohort->phenotypes[1].begin() + 7, cohort->phenotypes[1].end(), std::nan(""));
  }
  const v1::Quality quality = Measured(sets);
  for (const char* name : {"use.request_r", "use.pheno_r", "use.pheno_r2", "gwas.beta_r", "gwas.hit_overlap"}) {
    EXPECT_EQ(FigureOf(quality, name, "height").reason().substr(0, 29), "Phenotype height is constant ") << name;
  }
  EXPECT_EQ(FigureOf(quality, "use.pheno_auc", "case").reason(),
            "Phenotype case is known of 7 of the synthetic samples; 20 are needed.");
  EXPECT_EQ(FigureOf(quality, "gwas.beta_r", "type").reason(),
            "Phenotype type has 3 levels; association is tested of numbers and of two levels.");
}

TEST(UseTest, MeasuresTheFirstEightPhenotypesAndSaysSo) {
  QualitySets sets = UseTestSets(false);
  sets.phenotypes.clear();
  for (int p = 0; p < 10; ++p) sets.phenotypes.push_back({absl::StrCat("p", p), {}});
  for (Cohort* cohort : {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1]}) {
    const std::vector<double> height = cohort->phenotypes[0];
    cohort->phenotypes.assign(10, height);
  }
  const v1::Quality quality = Measured(sets);
  int measured = 0;
  for (const v1::Figure& figure : quality.figures()) measured += figure.name() == "use.request_r" ? 1 : 0;
  EXPECT_EQ(measured, 8);
  EXPECT_THAT(quality.inputs().notes(),
              ::testing::ElementsAre("Prediction and association were measured of the first 8 of 10 phenotypes."));
  int charts = 0;
  for (const v1::Chart& chart : quality.charts()) charts += chart.name() == "gwas.manhattan" ? 1 : 0;
  EXPECT_EQ(charts, 3);
}

TEST(UseTest, IsTheSameEachTime) {
  const QualitySets sets = UseTestSets(true);
  EXPECT_EQ(Measured(sets).SerializeAsString(), Measured(sets).SerializeAsString());
}

const v1::Chart& ChartOf(const v1::Quality& quality, absl::string_view name, absl::string_view label) {
  for (const v1::Chart& chart : quality.charts()) {
    if (chart.name() == name && chart.label() == label) return chart;
  }
  ADD_FAILURE() << "no chart " << name;
  return v1::Chart::default_instance();
}

TEST(UseChartTest, ConfusionHasTheSharesOfEachRequestedLabel) {
  const v1::Quality quality = Measured(UseTestSets(true));
  const v1::Chart& chart = ChartOf(quality, "use.confusion", "");
  ASSERT_EQ(chart.matrix().values_size(), 9);
  EXPECT_THAT(chart.matrix().rows(), ::testing::ElementsAre("A", "B", "C"));
  for (int row = 0; row < 3; ++row) {
    double sum = 0;
    for (int column = 0; column < 3; ++column) sum += static_cast<double>(chart.matrix().values(3 * row + column));
    EXPECT_NEAR(sum, 1, 1e-6);
    const v1::Figure& figure = FigureOf(quality, "use.label_recovered", chart.matrix().rows(row));
    EXPECT_NEAR(static_cast<double>(chart.matrix().values(4 * row)), figure.value(), 1e-6);
  }
}

TEST(UseChartTest, ManhattanKeepsTheStrongestAssociationOnAnAxisOfContigs) {
  QualitySets sets = UseTestSets(false);
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < kUseTestVariants; ++v) {
    records.push_back({v < 40 ? "1" : "X", static_cast<int64_t>(1000 + 10 * v), "", "A", "C"});
  }
  sets.variants = VariantTable::Create(std::move(records), {}).value();
  const v1::Quality quality = Measured(sets);
  const v1::Chart& chart = ChartOf(quality, "gwas.manhattan", "height");
  EXPECT_EQ(chart.kind(), v1::CHART_KIND_MANHATTAN);
  ASSERT_EQ(chart.series_size(), 3);
  EXPECT_EQ(chart.series(0).role(), "training");
  EXPECT_EQ(chart.series(1).role(), "synthetic");
  ASSERT_EQ(chart.x().ticks_size(), 2);
  // Contig 1 spans 391 bp from 0 on, X 791 bp from 391 on.
  EXPECT_EQ(chart.x().ticks(0).name(), "1");
  EXPECT_DOUBLE_EQ(chart.x().ticks(0).at(), 195.5);
  EXPECT_DOUBLE_EQ(chart.x().ticks(1).at(), 391 + 395.5);
  const auto best = std::max_element(chart.series(0).y().begin(), chart.series(0).y().end());
  const double position = chart.series(0).x(static_cast<int>(best - chart.series(0).y().begin()));
  EXPECT_THAT(position, DoubleNear(391 + 10 * (kUseTestCommon - 40), 60));
  // All variants have their own point, so that there are as many as are tested.
  const double tested = std::max(chart.series(0).y_size(), chart.series(1).y_size());
  EXPECT_LT(tested, kUseTestVariants);
  EXPECT_FLOAT_EQ(chart.series(2).y(0), static_cast<float>(std::log10(tested / 0.05)));
}

TEST(UseChartTest, QqRunsFromTheSmallestToTheLargestP) {
  const v1::Quality quality = Measured(UseTestSets(false));
  const v1::Chart& manhattan = ChartOf(quality, "gwas.manhattan", "height");
  const v1::Chart& chart = ChartOf(quality, "gwas.qq", "height");
  ASSERT_EQ(chart.series_size(), 3);
  const v1::Series& real = chart.series(0);
  EXPECT_EQ(real.y(0), *std::max_element(manhattan.series(0).y().begin(), manhattan.series(0).y().end()));
  EXPECT_TRUE(std::is_sorted(real.x().rbegin(), real.x().rend()));
  EXPECT_TRUE(std::is_sorted(real.y().rbegin(), real.y().rend()));
  const double m = static_cast<double>(manhattan.series(0).y_size());
  EXPECT_NEAR(static_cast<double>(real.x(0)), std::log10(m / 0.5), 1e-5);
  EXPECT_NEAR(static_cast<double>(real.x(real.x_size() - 1)), -std::log10((m - 0.5) / m), 1e-5);
}

TEST(UseChartTest, ScatterHasRealAndSyntheticSamples) {
  const v1::Quality quality = Measured(UseTestSets(false));
  const v1::Chart& chart = ChartOf(quality, "use.phenotype_scatter", "height");
  ASSERT_EQ(chart.series_size(), 2);
  EXPECT_EQ(chart.series(0).role(), "training");
  EXPECT_EQ(chart.series(1).role(), "synthetic");
  EXPECT_EQ(chart.series(1).x_size(), 73);
  EXPECT_EQ(chart.series(1).x(0), static_cast<float>(UseTestCohort(303, false).phenotypes[0][0]));
}

}  // namespace
}  // namespace genoserve
