#include "core/quality/gwas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/quality/test_genotypes.h"
#include "core/quality/use_test_sets.h"

namespace genoserve {
namespace {

nlohmann::json Expected() { return nlohmann::json::parse(std::ifstream("core/quality/testdata/use.json")); }

// plink2 writes six digits.
void ExpectAsPlink(const AssociationScan& scan, const nlohmann::json& plink) {
  size_t compared = 0;
  for (size_t v = 0; v < kUseTestVariants; ++v) {
    const std::string id = absl::StrCat("rs", v);
    if (scan.tested[v] == 0 || !plink.contains(id)) continue;
    const double effect = plink[id][0].get<double>();
    const double t = plink[id][1].get<double>();
    EXPECT_NEAR(scan.variants[v].effect, effect, 2e-5 * std::max(1.0, std::abs(effect))) << id;
    EXPECT_NEAR(scan.variants[v].chi2, t * t, 2e-5 * std::max(1.0, t * t)) << id;
    const double p = plink[id][2].get<double>();
    EXPECT_NEAR(scan.variants[v].minus_log10_p, p, 2e-5 * std::max(1.0, p)) << id;
    ++compared;
  }
  EXPECT_GT(compared, 90U);
}

TEST(GwasTest, IsPlinksRegressionWithoutCovariates) {
  const Cohort cohort = UseTestCohort(301, false);
  ExpectAsPlink(ScanAssociations(cohort.genotypes, cohort.phenotypes[0], {}), Expected()["plink"]);
}

TEST(GwasTest, IsPlinksRegressionWithLabelsAsCovariates) {
  for (const bool phased : {false, true}) {
    const Cohort cohort = UseTestCohort(301, phased);
    ExpectAsPlink(ScanAssociations(cohort.genotypes, cohort.phenotypes[0], cohort.labels), Expected()["plink_labels"]);
  }
}

// y = 1, 2, 3, 6 on x = 0, 1, 2, 2: means 3 and 1.25, sum xy' = 5, sum xx' = 2.75.
TEST(GwasTest, RegressesByHand) {
  const GenotypeMatrix genotypes = Diploid({{0, 1}, {1, 1}, {2, 1}, {2, 1}});
  const AssociationScan scan = ScanAssociations(genotypes, std::vector<double>{1, 2, 3, 6}, {});
  EXPECT_EQ(scan.samples, 4U);
  ASSERT_EQ(scan.tested[0], 1);
  EXPECT_DOUBLE_EQ(scan.variants[0].effect, 5 / 2.75);
  const double left = 14 - 25 / 2.75;  // with two degrees of freedom
  EXPECT_NEAR(scan.variants[0].chi2, 25 / 2.75 / (left / 2), 1e-12);
  // A variant that does not vary has no effect.
  EXPECT_EQ(scan.tested[1], 0);
}

TEST(GwasTest, LeavesOutRareVariantsAndThoseThatDifferByLabelOnly) {
  std::vector<std::vector<uint8_t>> rows(200, {0, 0, 0});
  std::vector<double> phenotype(200);
  std::vector<int> labels(200);
  for (size_t i = 0; i < rows.size(); ++i) {
    labels[i] = i < 100 ? 0 : 1;
    rows[i] = {static_cast<uint8_t>(i < 3 ? 1 : 0), static_cast<uint8_t>(2 * labels[i]),
               static_cast<uint8_t>(i % 25 == 0 ? 1 : 0)};
    phenotype[i] = static_cast<double>(i * i % 17);
  }
  const AssociationScan scan = ScanAssociations(Diploid(rows), phenotype, labels);
  EXPECT_EQ(scan.tested[0], 0);  // 3 of 400 alleles
  EXPECT_EQ(scan.tested[1], 0);
  EXPECT_EQ(scan.tested[2], 1);  // 8 of 400 alleles
}

TEST(GwasTest, PerfectFitHasAFinitePValue) {
  std::vector<std::vector<uint8_t>> rows;
  std::vector<double> phenotype;
  for (size_t i = 0; i < 40; ++i) {
    rows.push_back({static_cast<uint8_t>(i % 3)});
    phenotype.push_back(static_cast<double>(i % 3));
  }
  const AssociationScan scan = ScanAssociations(Diploid(rows), phenotype, {});
  EXPECT_NEAR(scan.variants[0].effect, 1, 1e-12);
  EXPECT_GT(scan.variants[0].minus_log10_p, 100);
  EXPECT_TRUE(std::isfinite(scan.variants[0].minus_log10_p));
}

// Scans with these -log10 p.
AssociationScan ScanWith(const std::vector<double>& p) {
  AssociationScan scan;
  for (const double value : p) {
    scan.variants.push_back({value, value, value});
    scan.tested.push_back(1);
  }
  return scan;
}

TEST(GwasTest, OverlapIsBothOverEither) {
  // 4 variants: 0.05 / 4 is 1.903.
  const Measurement overlap = HitOverlap(ScanWith({5, 3, 1.9, 0}), ScanWith({2, 1, 3, 0}), 1);
  EXPECT_DOUBLE_EQ(overlap.value, 1.0 / 3);
  EXPECT_EQ(overlap.n, 3);
  EXPECT_FALSE(HitOverlap(ScanWith({1, 1}), ScanWith({1, 1}), 1).reason.empty());
}

TEST(GwasTest, InflationIsTheMedianOverThatOfChance) {
  std::vector<double> chi2 = {9, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11};
  EXPECT_NEAR(GenomicInflation(ScanWith(chi2), 1).value, 6 / 0.45493642311957, 1e-9);
  chi2.push_back(0);
  EXPECT_NEAR(GenomicInflation(ScanWith(chi2), 1).value, 5.5 / 0.45493642311957, 1e-9);
  EXPECT_FALSE(GenomicInflation(ScanWith({1, 2}), 1).reason.empty());
}

}  // namespace
}  // namespace genoserve
