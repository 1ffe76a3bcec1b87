#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/fst.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

constexpr size_t kSamples = 60;
constexpr size_t kVariants = 400;
constexpr size_t kLabels = 3;

Cohort CohortOf(uint64_t seed, uint64_t founders_seed, bool phased) {
  Cohort cohort;
  cohort.genotypes = TestHaplotypes(seed, kSamples, kVariants, kLabels, founders_seed);
  if (!phased) cohort.genotypes = cohort.genotypes.ToDiploid();
  for (size_t i = 0; i < kSamples; ++i) cohort.labels.push_back(static_cast<int>(i % kLabels));
  return cohort;
}

// The sets that tests/quality/frequencies.py measures.
QualitySets OracleSets(bool phased) {
  QualitySets sets;
  sets.labels = {"label 0", "label 1", "label 2"};
  sets.seed = 5;
  sets.holdout = CohortOf(102, 1, phased);
  sets.candidates = {CohortOf(103, 1, phased), CohortOf(101, 1, phased), CohortOf(104, 2, phased)};
  return sets;
}

v1::Quality Measured(const QualitySets& sets) {
  v1::Quality quality;
  MeasureFrequencies(sets, &quality);
  return quality;
}

const v1::Figure& FigureOf(const v1::Quality& quality, absl::string_view name, absl::string_view label = "") {
  for (const v1::Figure& figure : quality.figures()) {
    if (figure.name() == name && figure.label() == label) return figure;
  }
  ADD_FAILURE() << "no figure " << name << " of '" << label << "'";
  return v1::Figure::default_instance();
}

// The values of a figure, by the names that the oracle has for the candidates.
double ValueOf(const v1::Figure& figure, absl::string_view candidate) {
  if (candidate == "synthetic") return figure.value();
  return candidate == "floor" ? figure.floor().value() : figure.naive().value();
}

class FrequenciesOracleTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::ifstream("core/quality/testdata/frequencies.json") >> expected_;
    quality_ = Measured(OracleSets(GetParam()));
  }

  void ExpectValue(absl::string_view name, absl::string_view label, const std::string& candidate, double expected) {
    EXPECT_NEAR(ValueOf(FigureOf(quality_, name, label), candidate), expected, 1e-9)
        << name << " of " << candidate << " '" << label << "'";
  }

  nlohmann::json expected_;
  v1::Quality quality_;
};

TEST_P(FrequenciesOracleTest, AreThoseOfScikitAllelAndScipy) {
  for (const std::string candidate : {"synthetic", "floor", "naive"}) {
    const nlohmann::json& of = expected_[candidate];
    for (const std::string group : {"all", "label 0", "label 1", "label 2"}) {
      const std::string label = group == "all" ? "" : group;
      for (const std::string prefix : {"af", "af.rare"}) {
        for (const std::string kind : {"pearson", "rmse", "max_difference"}) {
          ExpectValue(absl::StrCat(prefix, ".", kind), label, candidate, of[group][prefix][kind]);
        }
        EXPECT_EQ(FigureOf(quality_, absl::StrCat(prefix, ".rmse"), label).n(), of[group][prefix]["n"]);
      }
      ExpectValue("fst.hudson", label, candidate, label.empty() ? of["fst.hudson"] : of[group]["fst.hudson"]);
    }
    for (const std::string name :
         {"af.kl_bits", "fst.weir_cockerham", "fst.matrix_rmse", "rare.retention", "rare.doubleton_retention",
          "monomorphic.share", "het.observed_ratio", "het.wasserstein"}) {
      ExpectValue(name, "", candidate, of[name]);
    }
    ExpectValue("gf.pearson", "", candidate, of["gf"]["pearson"]);
    ExpectValue("gf.rmse", "", candidate, of["gf"]["rmse"]);
    ExpectValue("hwe.f_pearson", "", candidate, of["hwe"]["pearson"]);
    ExpectValue("hwe.f_rmse", "", candidate, of["hwe"]["rmse"]);
    ExpectValue("hwe.left_out", "", candidate, of["hwe"]["left_out"]);
  }
  EXPECT_EQ(FigureOf(quality_, "hwe.f_rmse").n(), expected_["synthetic"]["hwe"]["n"]);
  EXPECT_EQ(FigureOf(quality_, "gf.rmse").n(), expected_["synthetic"]["gf"]["n"]);
  EXPECT_EQ(FigureOf(quality_, "rare.doubleton_retention").n(), expected_["synthetic"]["doubletons"]);
  EXPECT_EQ(FigureOf(quality_, "fst.matrix_rmse").n(), 3);
}

TEST_P(FrequenciesOracleTest, FstIsThatOfPlink2) {
  for (const std::string candidate : {"synthetic", "floor", "naive"}) {
    const nlohmann::json& of = expected_[candidate]["plink2"];
    // PLINK 2 prints six digits.
    EXPECT_NEAR(ValueOf(FigureOf(quality_, "fst.hudson"), candidate), of["hudson"], 1e-6);
    EXPECT_NEAR(ValueOf(FigureOf(quality_, "fst.weir_cockerham"), candidate), of["wc"], 1e-6);
  }
}

TEST_P(FrequenciesOracleTest, MatrixChartHasRealAboveAndSyntheticBelowTheDiagonal) {
  for (const v1::Chart& chart : quality_.charts()) {
    if (chart.name() != "fst.matrix") continue;
    const v1::Matrix& matrix = chart.matrix();
    EXPECT_THAT(matrix.rows(), ::testing::ElementsAre("label 0", "label 1", "label 2"));
    EXPECT_TRUE(std::isnan(matrix.values(0)));
    const nlohmann::json& real = expected_["real"]["matrix"];
    const nlohmann::json& synthetic = expected_["synthetic"]["matrix"];
    EXPECT_NEAR(matrix.values(1), real[0], 1e-6);
    EXPECT_NEAR(matrix.values(2), real[1], 1e-6);
    EXPECT_NEAR(matrix.values(5), real[2], 1e-6);
    EXPECT_NEAR(matrix.values(3), synthetic[0], 1e-6);
    EXPECT_NEAR(matrix.values(6), synthetic[1], 1e-6);
    EXPECT_NEAR(matrix.values(7), synthetic[2], 1e-6);
    return;
  }
  FAIL() << "no chart fst.matrix";
}

INSTANTIATE_TEST_SUITE_P(Packings, FrequenciesOracleTest, ::testing::Bool(),
                         [](const auto& packing) { return packing.param ? "Haplotypes" : "Diploid"; });

TEST(FrequenciesTest, EveryFigureIsInTheCatalogueAndTheOtherWayRound) {
  std::set<std::string> catalogue;
  for (const FigureInfo& figure : FrequencyFigures()) {
    EXPECT_TRUE(catalogue.insert(std::string(figure.name)).second) << figure.name << " stands there twice";
    EXPECT_EQ(figure.family, Family::kFrequency);
  }
  const v1::Quality quality = Measured(OracleSets(true));
  std::set<std::string> measured;
  for (const v1::Figure& figure : quality.figures()) {
    measured.insert(figure.name());
    EXPECT_TRUE(figure.has_value()) << figure.name() << ": " << figure.reason();
    EXPECT_GT(figure.n(), 0) << figure.name();
    // Of a distance, resamples lie further apart: the interval holds the value all the same.
    EXPECT_LE(figure.low(), figure.value()) << figure.name();
    EXPECT_GE(figure.high(), figure.value()) << figure.name();
    EXPECT_LE(figure.floor().low(), figure.floor().value()) << figure.name();
    EXPECT_GE(figure.floor().high(), figure.floor().value()) << figure.name();
  }
  EXPECT_EQ(measured, catalogue);
}

TEST(FrequenciesTest, IntervalsAreOfThePopulationAndRepeat) {
  const QualitySets sets = TestSets(600, 800, true);
  const v1::Quality quality = Measured(sets);
  EXPECT_EQ(quality.SerializeAsString(), Measured(sets).SerializeAsString());
  // Real halves have an Fst of 0 with one another; naive draws keep frequencies too.
  const v1::Figure& fst = FigureOf(quality, "fst.hudson");
  EXPECT_LT(fst.floor().low(), 0.003);
  EXPECT_GT(fst.floor().high(), -0.003);
  EXPECT_NEAR(fst.value(), fst.floor().value(), 0.005);
  const v1::Figure& rmse = FigureOf(quality, "af.rmse");
  EXPECT_LT(rmse.low(), rmse.value());
  EXPECT_GT(rmse.high(), rmse.value());
  EXPECT_LT(std::abs(rmse.value() - rmse.floor().value()), 0.01);
}

TEST(FrequenciesTest, PerfectOfACopyOfTheHoldout) {
  QualitySets sets = OracleSets(true);
  sets.candidates[0] = sets.holdout;
  const v1::Quality quality = Measured(sets);
  for (const absl::string_view name : {"af.pearson", "af.rare.pearson", "gf.pearson", "hwe.f_pearson", "rare.retention",
                                       "rare.doubleton_retention", "het.observed_ratio"}) {
    EXPECT_NEAR(FigureOf(quality, name).value(), 1, 1e-12) << name;
  }
  for (const absl::string_view name : {"af.rmse", "af.max_difference", "af.rare.rmse", "gf.rmse", "hwe.f_rmse",
                                       "monomorphic.share", "het.wasserstein", "fst.matrix_rmse"}) {
    EXPECT_EQ(FigureOf(quality, name).value(), 0) << name;
  }
  // Two samples that are more alike than draws of one population.
  EXPECT_LT(FigureOf(quality, "fst.hudson").value(), 0);
}

TEST(FrequenciesTest, ACollapsedGeneratorIsFarFromTheFloor) {
  QualitySets sets = OracleSets(true);
  GenotypeMatrix& genotypes = sets.candidates[0].genotypes;
  for (size_t row = 1; row < genotypes.rows(); ++row) {
    for (size_t v = 0; v < genotypes.variants(); ++v) genotypes.Set(row, v, genotypes.Get(0, v));
  }
  const v1::Quality quality = Measured(sets);
  EXPECT_EQ(FigureOf(quality, "monomorphic.share").value(), 1);
  EXPECT_LT(FigureOf(quality, "monomorphic.share").floor().value(), 0.05);
  EXPECT_EQ(FigureOf(quality, "rare.retention").value(), 0);
  EXPECT_EQ(FigureOf(quality, "het.observed_ratio").value(), 0);
  EXPECT_EQ(FigureOf(quality, "hwe.left_out").value(), 1);
  EXPECT_GT(FigureOf(quality, "fst.hudson").value(), 0.1);
  EXPECT_EQ(FigureOf(quality, "hwe.f_rmse").reason(), "no variant varies in both sets");
  EXPECT_TRUE(FigureOf(quality, "hwe.f_rmse").has_floor()) << "the floor is told all the same";
  EXPECT_EQ(FigureOf(quality, "fst.matrix_rmse").reason(),
            "every two labels are fixed for the same alleles in one of the sets");
}

TEST(FrequenciesTest, SaysWhatIsMissing) {
  QualitySets sets = OracleSets(false);
  sets.labels.push_back("nobody");
  const v1::Quality with_empty_label = Measured(sets);
  EXPECT_EQ(FigureOf(with_empty_label, "af.rmse", "nobody").reason(),
            "no sample of this label is among those compared");
  EXPECT_EQ(FigureOf(with_empty_label, "af.rare.pearson", "nobody").reason(),
            "no sample of this label is among those compared");
  EXPECT_EQ(FigureOf(with_empty_label, "fst.hudson", "nobody").reason(),
            "no sample of this label is among those compared");
  EXPECT_EQ(FigureOf(with_empty_label, "fst.matrix_rmse").n(), 3) << "of the labels that have samples";

  sets.labels.clear();
  const v1::Quality unlabelled = Measured(sets);
  EXPECT_EQ(FigureOf(unlabelled, "fst.matrix_rmse").reason(), "the samples have no labels");
  EXPECT_TRUE(FigureOf(unlabelled, "af.rmse").has_value());

  // Every sample of the hold-out is heterozygous at every variant: none is rare.
  for (size_t row = 0; row < sets.holdout.genotypes.rows(); ++row) {
    for (size_t v = 0; v < kVariants; ++v) sets.holdout.genotypes.Set(row, v, 1);
  }
  const v1::Quality common = Measured(sets);
  EXPECT_EQ(FigureOf(common, "af.rare.rmse").reason(),
            "no variant has a minor allele frequency under 5 % in the hold-out");
  EXPECT_EQ(FigureOf(common, "rare.doubleton_retention").reason(), "no allele has exactly two copies in the hold-out");
  EXPECT_THAT(FigureOf(common, "af.pearson").reason(), ::testing::HasSubstr("no correlation"));
  EXPECT_TRUE(FigureOf(common, "af.rmse").has_value());
}

}  // namespace
}  // namespace genoserve
