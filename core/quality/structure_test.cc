#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

// The cohorts of tests/quality/structure.py: all of one size, so that nothing is drawn. The floor is one that has no
// sample in common with the training.
QualitySets OracleSets(bool phased) {
  QualitySets sets;
  sets.labels = {"A", "B"};
  sets.seed = 5;
  sets.whole_training = TestCohort(101, 90, 70, phased);
  sets.holdout = TestCohort(102, 60, 70, phased);
  const Cohort synthetic = TestCohort(103, 60, 70, phased);
  Cohort other = synthetic;
  other.genotypes = TestHaplotypes(104, 60, 70, 2, 2);
  if (!phased) other.genotypes = other.genotypes.ToDiploid();
  sets.candidates = {synthetic, synthetic, other};
  return sets;
}

v1::Quality Measured(const QualitySets& sets) {
  v1::Quality quality;
  MeasureStructure(sets, &quality);
  return quality;
}

const v1::Figure& FigureOf(const v1::Quality& quality, absl::string_view name, absl::string_view label = "") {
  for (const v1::Figure& figure : quality.figures()) {
    if (figure.name() == name && figure.label() == label) return figure;
  }
  ADD_FAILURE() << "no figure " << name << " " << label;
  return v1::Figure::default_instance();
}

void ExpectCandidate(const v1::Quality& quality, const nlohmann::json& expected, bool naive) {
  const auto value = [&](absl::string_view name, absl::string_view label = "") {
    const v1::Figure& figure = FigureOf(quality, name, label);
    return naive ? figure.naive().value() : figure.value();
  };
  EXPECT_NEAR(value("pca.w1"), expected["w1"].get<double>(), 1e-5);
  for (size_t k = 0; k < 10; ++k) {
    EXPECT_NEAR(value("pca.w1", absl::StrCat("PC", k + 1)), expected["lines"][k].get<double>(), 1e-5) << k;
  }
  EXPECT_NEAR(value("pca.w2"), expected["w2"].get<double>(), 1e-5);
  EXPECT_NEAR(value("pca.w_row"), expected["w_row"].get<double>(), 1e-5);
  EXPECT_NEAR(value("acgan_paper.w"), expected["paper"].get<double>(), 1e-3);
  EXPECT_NEAR(value("pca.alignment"), expected["alignment"].get<double>(), 1e-5);
}

TEST(StructureTest, AgreesWithScikitLearnAndSciPy) {
  std::ifstream file("core/quality/testdata/structure.json");
  const nlohmann::json expected = nlohmann::json::parse(file);
  for (const bool phased : {false, true}) {
    const v1::Quality quality = Measured(OracleSets(phased));
    const nlohmann::json& of = expected[phased ? "haplotypes" : "diploid"];
    ExpectCandidate(quality, of["synthetic"], false);
    ExpectCandidate(quality, of["other"], true);
    EXPECT_EQ(FigureOf(quality, "pca.w1").n(), phased ? 120 : 60);
    EXPECT_EQ(FigureOf(quality, "acgan_paper.w").n(), phased ? 120 : 60);
    EXPECT_EQ(FigureOf(quality, "pca.alignment").n(), 70);
  }
}

TEST(StructureTest, EveryFigureIsInTheCatalogueAndHasItsValueInItsInterval) {
  const v1::Quality quality = Measured(TestSets(200, 80, false));
  std::set<std::string> names;
  for (const v1::Figure& figure : quality.figures()) {
    names.insert(figure.name());
    ASSERT_TRUE(figure.has_value()) << figure.DebugString();
    EXPECT_LE(figure.low(), figure.value()) << figure.DebugString();
    EXPECT_GE(figure.high(), figure.value()) << figure.DebugString();
    EXPECT_LT(figure.low(), figure.high()) << figure.DebugString();
  }
  std::set<std::string> listed;
  for (const FigureInfo& figure : StructureFigures()) listed.insert(std::string(figure.name));
  EXPECT_EQ(names, listed);
}

TEST(StructureTest, TheHoldOutItselfIsAtNoDistance) {
  QualitySets sets = TestSets(200, 80, true);
  sets.candidates[0] = sets.holdout;
  const v1::Quality quality = Measured(sets);
  for (const char* const name : {"pca.w1", "pca.w2", "pca.w_row", "acgan_paper.w"}) {
    EXPECT_NEAR(FigureOf(quality, name).value(), 0, 1e-6) << name;
  }
  EXPECT_NEAR(FigureOf(quality, "pca.alignment").value(), 1, 1e-6);
}

TEST(StructureTest, AnotherRealHalfIsNearTheFloor) {
  // The synthetic cohort of these sets is drawn as the training is. There are more variants than rows, so that a floor
  // whom the components were fitted on would lie far off.
  const v1::Quality quality = Measured(TestSets(240, 600, false));
  for (const char* const name : {"pca.w1", "pca.w2", "pca.w_row"}) {
    const v1::Figure& figure = FigureOf(quality, name);
    EXPECT_LT(figure.value(), 1.6 * figure.floor().value()) << name;
    EXPECT_GT(figure.value(), figure.floor().value() / 1.6) << name;
  }
}

TEST(StructureTest, NaiveDrawsLoseTheSpread) {
  // Within a label, naive draws have no structure, so all axes but that between labels shrink.
  const v1::Quality quality = Measured(TestSets(400, 120, true));
  const v1::Figure& figure = FigureOf(quality, "pca.w1");
  EXPECT_GT(figure.naive().low(), figure.floor().high());
  EXPECT_GT(figure.naive().low(), figure.high());
}

TEST(StructureTest, ACollapsedCohortIsFarOff) {
  QualitySets sets = TestSets(200, 80, false);
  sets.candidates[0] = sets.holdout.Select(std::vector<size_t>(sets.n(), 0));
  const v1::Quality quality = Measured(sets);
  for (const char* const name : {"pca.w1", "pca.w2", "pca.w_row", "acgan_paper.w"}) {
    const v1::Figure& figure = FigureOf(quality, name);
    EXPECT_GT(figure.low(), figure.floor().high()) << name;
  }
  EXPECT_EQ(FigureOf(quality, "pca.alignment").value(), 0);
}

TEST(StructureTest, ConstantTrainingSaysWhyThereIsNoFigure) {
  QualitySets sets = TestSets(200, 20, false);
  sets.whole_training.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, 200, 20);
  const v1::Quality quality = Measured(sets);
  EXPECT_EQ(quality.figures_size(), static_cast<int>(StructureFigures().size()));
  for (const v1::Figure& figure : quality.figures()) {
    EXPECT_FALSE(figure.has_value());
    EXPECT_THAT(figure.reason(), testing::HasSubstr("no variant differs"));
  }
  EXPECT_EQ(quality.charts_size(), 0);
}

TEST(StructureTest, OneDirectionGivesLinesButNoPlane) {
  const v1::Quality quality = Measured(TestSets(200, 1, false));
  EXPECT_TRUE(FigureOf(quality, "pca.w1").has_value());
  EXPECT_TRUE(FigureOf(quality, "acgan_paper.w").has_value());
  EXPECT_THAT(FigureOf(quality, "pca.w2").reason(), testing::HasSubstr("one direction only"));
  EXPECT_THAT(FigureOf(quality, "pca.w_row").reason(), testing::HasSubstr("one direction only"));
}

TEST(StructureTest, LargeCohortsAreCutAndChartsAreBounded) {
  const v1::Quality quality = Measured(TestSets(2200, 40, true));  // 550 samples, 1,100 rows
  EXPECT_EQ(FigureOf(quality, "pca.w1").n(), 1100);
  EXPECT_EQ(FigureOf(quality, "pca.w2").n(), 1000);
  EXPECT_EQ(FigureOf(quality, "pca.w_row").n(), 1000);
  EXPECT_EQ(FigureOf(quality, "acgan_paper.w").n(), 1002);
  ASSERT_EQ(quality.charts_size(), 2);
  const v1::Chart& scatter = quality.charts(0);
  EXPECT_EQ(scatter.name(), "pca.scatter");
  std::map<std::string, int> points;
  for (const v1::Series& series : scatter.series()) {
    EXPECT_EQ(series.x_size(), series.y_size());
    points[series.role() + series.label()] += series.x_size();
  }
  // Drawn in pairs of one label each, so that both roles have as many of it.
  EXPECT_EQ(points["holdoutA"], points["syntheticA"]);
  EXPECT_EQ(points["holdoutA"] + points["holdoutB"], 1000);
  EXPECT_EQ(points["syntheticA"] + points["syntheticB"], 1000);
  const v1::Chart& scree = quality.charts(1);
  EXPECT_EQ(scree.name(), "pca.scree");
  ASSERT_EQ(scree.series_size(), 3);
  for (const v1::Series& series : scree.series()) EXPECT_EQ(series.x_size(), 10);
}

TEST(StructureTest, TheSameSetsGiveTheSameMessage) {
  const QualitySets sets = TestSets(200, 80, true);
  EXPECT_EQ(Measured(sets).SerializeAsString(), Measured(sets).SerializeAsString());
}

}  // namespace
}  // namespace genoserve
