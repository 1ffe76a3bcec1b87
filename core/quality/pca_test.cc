#include "core/quality/pca.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

nlohmann::json Expected() {
  std::ifstream file("core/quality/testdata/structure.json");
  return nlohmann::json::parse(file);
}

TEST(PcaTest, ByHand) {
  // Rows (0, 0), (1, 1), (2, 2), (1, 1): one direction, (1, 1) / sqrt 2; scores 0, +-sqrt 2; variance 4 / 3.
  const Pca pca = FitPca(Diploid({{0, 0}, {1, 1}, {2, 2}, {1, 1}}), 10, 1);
  ASSERT_EQ(pca.components(), 1);
  EXPECT_NEAR(pca.variances[0], 4.0 / 3.0, 1e-12);
  EXPECT_NEAR(pca.total_variance, 4.0 / 3.0, 1e-12);
  EXPECT_NEAR(std::abs(pca.loadings(0, 0)), std::sqrt(0.5), 1e-6);
  const Eigen::MatrixXd scores = Project(pca, Diploid({{2, 0}, {2, 2}}));
  EXPECT_NEAR(scores(0, 0), 0, 1e-6);
  EXPECT_NEAR(std::abs(scores(1, 0)), std::sqrt(2.0), 1e-6);
}

TEST(PcaTest, TheLargestScoreIsPositive) {
  // Scores of the fitted rows are +-1, +-1, +-1 and -+3 (times a loading of 1).
  const Pca pca = FitPca(Diploid({{2}, {2}, {2}, {0}}), 1, 1);
  EXPECT_NEAR(Project(pca, Diploid({{0}}))(0, 0), 1.5, 1e-6);
}

TEST(PcaTest, ConstantRowsHaveNoComponents) {
  const GenotypeMatrix constant = Diploid({{1, 2}, {1, 2}, {1, 2}});
  const Pca pca = FitPca(constant, 10, 1);
  EXPECT_EQ(pca.components(), 0);
  EXPECT_EQ(Project(pca, constant).cols(), 0);
}

TEST(PcaTest, SmallCohortsAreAsScikitLearnHasThem) {
  const nlohmann::json expected = Expected();
  for (const bool phased : {false, true}) {
    const nlohmann::json& of = expected[phased ? "haplotypes" : "diploid"];
    const Pca pca = FitPca(TestCohort(101, 90, 70, phased).genotypes, 10, 1);
    ASSERT_EQ(pca.components(), 10);
    for (int64_t k = 0; k < 10; ++k) EXPECT_NEAR(pca.variances[k], of["variances"][k].get<double>(), 1e-9);
    EXPECT_NEAR(pca.total_variance, of["total"].get<double>(), 1e-9);
  }
}

TEST(PcaTest, LargeCohortsAreNearlyAsScikitLearnHasThem) {
  const nlohmann::json expected = Expected()["large"];
  const GenotypeMatrix genotypes = TestHaplotypes(101, 180, 400);
  ASSERT_GT(std::min(genotypes.rows(), genotypes.variants()), kExactPca);
  const Pca pca = FitPca(genotypes, 10, 1);
  ASSERT_EQ(pca.components(), 10);
  for (int64_t k = 0; k < 10; ++k) {
    const double variance = expected["variances"][k];
    EXPECT_NEAR(pca.variances[k], variance, 1e-3 * variance) << k;
  }
  const Eigen::MatrixXd scores = Project(pca, genotypes);
  for (int64_t i = 0; i < 20; ++i) EXPECT_NEAR(scores(i, 0), expected["first_scores"][i].get<double>(), 1e-3) << i;
  const Eigen::MatrixXf gram = pca.loadings.transpose() * pca.loadings;
  EXPECT_LT((gram - Eigen::MatrixXf::Identity(10, 10)).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(PcaTest, TheSameSeedGivesTheSameBits) {
  const GenotypeMatrix genotypes = TestHaplotypes(101, 180, 400);
  EXPECT_EQ(FitPca(genotypes, 3, 1).loadings, FitPca(genotypes, 3, 1).loadings);
}

}  // namespace
}  // namespace genoserve
