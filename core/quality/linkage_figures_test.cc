#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/linkage_pairs.h"
#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// The cohorts of tests/quality/linkage.py.
constexpr size_t kSamples = 60;
constexpr size_t kVariants = 320;
constexpr size_t kFirstContig = 260;

VariantTable UnevenVariants() {
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < kVariants; ++v) {
    const auto place = static_cast<int64_t>(v < kFirstContig ? v : v - kFirstContig);
    records.push_back(
        {v < kFirstContig ? "1" : "2", 500 + 137 * place + place * place % 97, absl::StrCat("rs", v), "A", "C"});
  }
  return VariantTable::Create(std::move(records), {}).value();
}

// Each column turned by another multiple of four rows: frequencies and labels stay, linkage goes.
GenotypeMatrix Unlinked(const GenotypeMatrix& rows) {
  GenotypeMatrix turned(rows.packing(), rows.rows(), rows.variants());
  for (size_t v = 0; v < rows.variants(); ++v) {
    for (size_t row = 0; row < rows.rows(); ++row) {
      turned.Set((row + 4 * (v * v + 7 * v)) % rows.rows(), v, rows.Get(row, v));
    }
  }
  return turned;
}

QualitySets OracleSets(bool phased) {
  QualitySets sets;
  sets.variants = UnevenVariants();
  sets.labels = {"A", "B"};
  sets.seed = 5;
  sets.members = TestCohort(101, kSamples, kVariants, phased);
  sets.holdout = TestCohort(102, kSamples, kVariants, phased);
  sets.candidates[0] = TestCohort(103, kSamples, kVariants, phased);
  sets.candidates[1] = TestCohort(104, kSamples, kVariants, phased);
  sets.candidates[2] = TestCohort(105, kSamples, kVariants, phased);
  sets.candidates[2].genotypes = Unlinked(sets.candidates[2].genotypes);
  return sets;
}

nlohmann::json Expected() {
  std::ifstream file("core/quality/testdata/linkage.json");
  return nlohmann::json::parse(file);
}

using Figures = std::map<std::pair<std::string, std::string>, v1::Figure>;

Figures ByName(const v1::Quality& quality) {
  Figures figures;
  for (const v1::Figure& figure : quality.figures()) figures[{figure.name(), figure.label()}] = figure;
  return figures;
}

Figures Measure(const QualitySets& sets) {
  v1::Quality quality;
  MeasureLinkage(sets, &quality);
  return ByName(quality);
}

class LinkageOracleTest : public ::testing::TestWithParam<bool> {};

TEST_P(LinkageOracleTest, FiguresAreThoseOfOtherImplementations) {
  const bool phased = GetParam();
  // scikit-allel computes in single precision.
  const double accuracy = phased ? 1e-12 : 1e-6;
  const nlohmann::json expected = Expected().at(phased ? "phased" : "unphased");
  const Figures figures = Measure(OracleSets(phased));
  for (const std::string label : {"", "A", "B"}) {
    for (const auto& [name, value] : expected.at("synthetic").at(label).items()) {
      if (absl::EndsWith(name, " n")) continue;
      SCOPED_TRACE(absl::StrCat(name, " of ", label));
      ASSERT_EQ(figures.count({name, label}), 1U);
      const v1::Figure& figure = figures.at({name, label});
      EXPECT_NEAR(figure.value(), value.get<double>(), accuracy);
      EXPECT_NEAR(figure.floor().value(), expected.at("floor").at(label).at(name).get<double>(), accuracy);
      EXPECT_NEAR(figure.naive().value(), expected.at("naive").at(label).at(name).get<double>(), accuracy);
      EXPECT_LE(figure.low(), figure.value());
      EXPECT_GE(figure.high(), figure.value());
      const nlohmann::json& of_label = expected.at("synthetic").at(label);
      EXPECT_EQ(figure.n(), of_label.value(name + " n", figure.n()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, LinkageOracleTest, ::testing::Bool());

TEST(LinkageFiguresTest, R2OfUnphasedGenotypesIsThatOfPlink) {
  const QualitySets sets = OracleSets(false);
  const VariantCorrelations holdout(sets.holdout.genotypes);
  const nlohmann::json expected = Expected().at("plink");
  ASSERT_EQ(expected.size(), 3U);
  for (const auto& [lag, mean] : expected.items()) {
    double sum = 0;
    int pairs = 0;
    for (size_t i = 0; i + std::stoul(lag) < kVariants; ++i) {
      const size_t j = i + std::stoul(lag);
      const double r = holdout.Of(i, j);
      if (std::isnan(r) || sets.variants[i].contig != sets.variants[j].contig) continue;
      sum += r * r;
      ++pairs;
    }
    EXPECT_NEAR(sum / pairs, mean.get<double>(), 1e-6);  // plink writes six digits
  }
}

TEST(LinkageFiguresTest, CatalogueHasEveryFigure) {
  std::set<std::string> listed;
  for (const FigureInfo& figure : LinkageFigures()) listed.insert(std::string(figure.name));
  std::set<std::string> measured;
  for (const auto& [key, figure] : Measure(TestSets(80, 40, true))) measured.insert(key.first);
  EXPECT_EQ(measured, listed);
}

// Where a value stands between the floor's (0) and the naive draws' (1).
double TowardsNaive(const v1::Figure& figure) {
  return (figure.value() - figure.floor().value()) / (figure.naive().value() - figure.floor().value());
}

TEST(LinkageFiguresTest, RealCohortIsNearTheFloorAndNaiveDrawsAreFarFromIt) {
  for (const bool phased : {true, false}) {
    SCOPED_TRACE(phased);
    const QualitySets sets = TestSets(400, 300, phased);
    const Figures figures = Measure(sets);
    for (const char* const label : {"", "A", "B"}) {
      SCOPED_TRACE(label);
      for (const char* const name : {"ld.strong_r2_kept", "ld.decay_rmse"}) {
        EXPECT_NEAR(TowardsNaive(figures.at({name, label})), 0, 0.25) << name;
      }
      const v1::Figure& kept = figures.at({"ld.strong_r2_kept", label});
      EXPECT_NEAR(kept.value(), 1, 0.15);
      EXPECT_LT(kept.naive().high(), kept.low());
      const v1::Figure& decay = figures.at({"ld.decay_rmse", label});
      EXPECT_GT(decay.naive().low(), 3 * decay.floor().high());
    }
    const v1::Figure& neighbours = figures.at({"ld.neighbour_r2_difference", ""});
    EXPECT_LT(neighbours.naive().high(), neighbours.low());
    EXPECT_LT(figures.at({"ld.corr_score", ""}).naive().high(), figures.at({"ld.corr_score", ""}).low());
  }
}

TEST(LinkageFiguresTest, NaiveDrawsAsTheSyntheticCohortAreTheNaiveBaseline) {
  QualitySets sets = TestSets(400, 300, true);
  sets.candidates[0] = sets.candidates[2];
  for (const auto& [key, figure] : Measure(sets)) {
    EXPECT_EQ(figure.value(), figure.naive().value()) << key.first;
    EXPECT_EQ(figure.low(), figure.naive().low()) << key.first;
  }
}

TEST(LinkageFiguresTest, CopyOfTheTrainingIsAsGoodAsTheFloor) {
  QualitySets sets = TestSets(400, 300, true);
  sets.candidates[0] = sets.members;
  const Figures figures = Measure(sets);
  EXPECT_NEAR(TowardsNaive(figures.at({"ld.decay_rmse", ""})), 0, 0.1);
  EXPECT_NEAR(TowardsNaive(figures.at({"ld.neighbour_r2", ""})), 0, 0.1);
}

TEST(LinkageFiguresTest, HoldoutItselfIsPerfect) {
  QualitySets sets = TestSets(80, 60, false);
  sets.candidates[0] = sets.holdout;
  const Figures figures = Measure(sets);
  EXPECT_EQ(figures.at({"ld.r2_rmse", ""}).value(), 0);
  EXPECT_NEAR(figures.at({"ld.corr_score", ""}).value(), 1, 1e-12);
  EXPECT_EQ(figures.at({"ld.decay_rmse", ""}).value(), 0);
  EXPECT_EQ(figures.at({"ld.strong_r2_kept", ""}).value(), 1);
  EXPECT_EQ(figures.at({"ld.neighbour_r2_difference", ""}).value(), 0);
}

TEST(LinkageFiguresTest, ACohortOfOneHaplotypeHasNoLinkage) {
  QualitySets sets = TestSets(80, 60, true);
  GenotypeMatrix& rows = sets.candidates[0].genotypes;
  for (size_t row = 1; row < rows.rows(); ++row) {
    std::copy(rows.Row(0).begin(), rows.Row(0).end(), rows.MutableRow(row).begin());
  }
  const Figures figures = Measure(sets);
  const v1::Figure& error = figures.at({"ld.r2_rmse", ""});
  EXPECT_FALSE(error.has_value());
  EXPECT_THAT(error.reason(), HasSubstr("In no pair of these variants do both vary"));
  EXPECT_EQ(error.n(), 0);
  EXPECT_GT(error.floor().value(), 0);
  EXPECT_THAT(figures.at({"ld.strong_r2_kept", ""}).reason(), HasSubstr("strongly linked in the training"));
  EXPECT_EQ(figures.at({"ld.dropped_pairs", ""}).value(), 1);
  EXPECT_LT(figures.at({"ld.dropped_pairs", ""}).floor().value(), 0.5);
}

TEST(LinkageFiguresTest, SmallLabelsSayWhyTheyHaveNoFigure) {
  QualitySets sets = TestSets(160, 40, true);  // 20 of each label
  sets.labels.emplace_back("C");
  v1::Quality quality;
  MeasureLinkage(sets, &quality);
  const Figures figures = ByName(quality);
  EXPECT_TRUE(figures.at({"ld.r2_rmse", "A"}).has_value());
  EXPECT_EQ(figures.at({"ld.decay_rmse", "C"}).reason(),
            "Only 0 of the compared samples have this label; 20 are needed.");
  ASSERT_EQ(quality.charts_size(), 4);
  EXPECT_EQ(quality.charts(0).name(), "ld.decay");
  EXPECT_EQ(quality.charts(1).label(), "");
  EXPECT_EQ(quality.charts(2).label(), "A");
  EXPECT_EQ(quality.charts(3).label(), "B");
}

TEST(LinkageFiguresTest, OneVariantAContigHasFarPairsOnly) {
  QualitySets sets = TestSets(80, 30, true);
  std::vector<std::string> contigs;
  for (size_t v = 0; v < 30; ++v) contigs.push_back(absl::StrCat(v));
  sets.variants = VariantsOn(contigs);
  v1::Quality quality;
  MeasureLinkage(sets, &quality);
  const Figures figures = ByName(quality);
  EXPECT_FALSE(figures.at({"ld.r2_rmse", ""}).has_value());
  EXPECT_EQ(figures.at({"ld.dropped_pairs", ""}).reason(), "No two variants are near one another on one contig.");
  EXPECT_TRUE(figures.at({"ld.far_r2_rmse", ""}).has_value());
  EXPECT_EQ(quality.charts_size(), 1);
}

TEST(LinkageFiguresTest, ShortContigHasNoFarPairs) {
  const Figures figures = Measure(TestSets(80, 40, true));
  EXPECT_THAT(figures.at({"ld.far_r2", ""}).reason(), HasSubstr("more than 200 variants apart"));
}

}  // namespace
}  // namespace genoserve
