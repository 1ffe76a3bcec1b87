#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/quality/use_components.h"
#include "core/quality/use_samples.h"
#include "core/quality/use_scores.h"
#include "core/quality/use_student.h"
#include "core/quality/use_test_sets.h"

namespace genoserve {
namespace {

nlohmann::json Expected() { return nlohmann::json::parse(std::ifstream("core/quality/testdata/use.json")); }

std::vector<uint32_t> All(size_t n) {
  std::vector<uint32_t> indices(n);
  std::iota(indices.begin(), indices.end(), 0U);
  return indices;
}

TEST(StudentTest, IsScipys) {
  const nlohmann::json known = Expected();
  for (const nlohmann::json& row : known["student"]) {
    const double expected = row[2].get<double>();
    EXPECT_NEAR(StudentT(row[1].get<double>()).MinusLog10P(row[0].get<double>()), expected, 1e-9 * (1 + expected))
        << row;
  }
}

TEST(StudentTest, HasNoSmallestP) {
  const StudentT student(1248);
  EXPECT_EQ(student.MinusLog10P(0), 0);
  EXPECT_GT(student.MinusLog10P(200), 900);
  EXPECT_TRUE(std::isfinite(student.MinusLog10P(1e12)));
  EXPECT_GT(student.MinusLog10P(1e12), student.MinusLog10P(1e11));
}

TEST(ScoresTest, AreThoseByHand) {
  const std::vector<double> truth = {1, 2, 3, 6};
  const std::vector<double> predicted = {2, 2, 4, 4};
  EXPECT_NEAR(CorrelationOf(truth, predicted, All(4)), 6 / std::sqrt(14.0 * 4), 1e-12);
  EXPECT_NEAR(DeterminationOf(truth, predicted, All(4)), 1 - 6.0 / 14, 1e-12);
  EXPECT_TRUE(std::isnan(DeterminationOf(truth, predicted, std::vector<uint32_t>{1, 1})));
  // Pairs of a sample of the level (0.2, 0.9) with another (0.1, 0.2, 0.5): 1 + 0.5 + 0 and 3 wins of 6.
  const std::vector<uint8_t> of_level = {1, 0, 0, 1, 0};
  const std::vector<double> scores = {0.2, 0.1, 0.2, 0.9, 0.5};
  EXPECT_DOUBLE_EQ(AucOf(of_level, scores, All(5)), 4.5 / 6);
  EXPECT_TRUE(std::isnan(AucOf(of_level, scores, std::vector<uint32_t>{0, 3})));
}

TEST(ComponentsTest, AreThoseOfTheSingularValueDecomposition) {
  const QualitySets sets = UseTestSets(true);
  const UseSamples samples = MakeUseSamples(sets);
  const Rows members = samples.Of(UseSet::kMembers);
  const Eigen::MatrixXf products = samples.products(members, members);
  const Components components(products, 10, 3);
  ASSERT_EQ(components.count(), 10U);
  const Eigen::MatrixXf scores = components.Scores(products);
  const nlohmann::json expected = Expected()["components"];
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    for (Eigen::Index k = 0; k < 3; ++k) {
      const double value = expected[static_cast<size_t>(i)][static_cast<size_t>(k)].get<double>();
      EXPECT_NEAR(static_cast<double>(std::abs(scores(i, k))), value, 1e-3) << i << " " << k;
    }
  }
}

TEST(ComponentsTest, AreNoMoreThanThereAre) {
  Eigen::MatrixXf x(6, 2);
  x << 0, 1, 1, 1, 2, 0, 0, 2, 1, 0, 2, 2;
  EXPECT_EQ(Components(x * x.transpose(), 6, 1).count(), 2U);
  EXPECT_EQ(Components(Eigen::MatrixXf::Ones(6, 6), 3, 1).count(), 0U);
}

TEST(UseSamplesTest, ProductsAndDistancesAreThoseOfTheCounts) {
  for (const bool phased : {false, true}) {
    const QualitySets sets = UseTestSets(phased);
    const UseSamples samples = MakeUseSamples(sets);
    ASSERT_EQ(samples.n, kUseTestSamples);
    std::vector<std::vector<int>> counts;
    for (const Cohort* cohort :
         {&sets.candidates[0], &sets.candidates[1], &sets.candidates[2], &sets.members, &sets.holdout}) {
      const GenotypeMatrix diploid = cohort->genotypes.ToDiploid();
      for (size_t i = 0; i < diploid.rows(); ++i) {
        std::vector<int>& row = counts.emplace_back();
        for (size_t v = 0; v < diploid.variants(); ++v) row.push_back(diploid.Get(i, v));
      }
    }
    ASSERT_EQ(samples.products.rows(), 400);
    for (size_t i = 0; i < counts.size(); ++i) {
      for (size_t j = 0; j < counts.size(); ++j) {
        int product = 0;
        uint32_t distance = 0;
        for (size_t v = 0; v < kUseTestVariants; ++v) {
          product += counts[i][v] * counts[j][v];
          distance += static_cast<uint32_t>(std::abs(counts[i][v] - counts[j][v]));
        }
        ASSERT_EQ(samples.products(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)), product);
        if (i >= 320) {
          ASSERT_EQ(samples.distances(static_cast<Eigen::Index>(i - 320), static_cast<Eigen::Index>(j)), distance);
        }
      }
    }
  }
}

TEST(UseSamplesTest, NaiveSamplesHaveThePhenotypesOfTheHoldout) {
  const UseSamples samples = MakeUseSamples(UseTestSets(false));
  const Rows naive = samples.Of(UseSet::kNaive, 0);
  const Rows holdout = samples.Of(UseSet::kHoldout, 0);
  ASSERT_EQ(naive.size(), 73U);
  for (size_t i = 0; i < naive.size(); ++i) {
    EXPECT_EQ(holdout[i] - naive[i], 2 * static_cast<Eigen::Index>(kUseTestSamples));
    EXPECT_EQ(samples.phenotypes[0][static_cast<size_t>(naive[i])],
              samples.phenotypes[0][static_cast<size_t>(holdout[i])]);
  }
}

TEST(UseSamplesTest, TakesTwoThousandEvenlyOfMore) {
  QualitySets sets;
  sets.labels = {"A", "B"};
  Cohort cohort;
  cohort.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, 3000, 4);
  for (size_t i = 0; i < 3000; ++i) {
    cohort.genotypes.Set(i, 0, i < 1500 ? 0 : 2);
    cohort.labels.push_back(i < 1500 ? 0 : 1);
  }
  sets.members = sets.holdout = cohort;
  sets.candidates = {cohort, cohort, cohort};
  const UseSamples samples = MakeUseSamples(sets);
  EXPECT_EQ(samples.n, 2000U);
  EXPECT_EQ(std::count(samples.labels.begin(), samples.labels.end(), 1), 5000);
  EXPECT_EQ(samples.products(999, 1000), 0);
  EXPECT_EQ(samples.products(1000, 1999), 4);
}

}  // namespace
}  // namespace genoserve
