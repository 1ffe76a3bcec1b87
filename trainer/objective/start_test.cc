// What generators start from and are calibrated to.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "trainer/objective/batches.h"
#include "trainer/objective/calibration.h"
#include "trainer/objective/data_statistics.h"
#include "trainer/objective/principal_components.h"
#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

TEST(BatchOrderTest, APassHasEachRowOnceAndPassesDiffer) {
  BatchOrder order(10, 3, 5);
  std::vector<std::vector<size_t>> passes(2);
  for (int64_t index = 0; index < 6; ++index) {
    const std::vector<size_t> rows = order.Rows(index);
    ASSERT_EQ(rows.size(), 3U);
    passes[static_cast<size_t>(index / 3)].insert(passes[static_cast<size_t>(index / 3)].end(), rows.begin(),
                                                  rows.end());
  }
  for (const auto& pass : passes) EXPECT_EQ(std::set<size_t>(pass.begin(), pass.end()).size(), 9U);
  EXPECT_NE(passes[0], passes[1]);
  // A batch depends on its index alone.
  EXPECT_EQ(BatchOrder(10, 3, 5).Rows(4), order.Rows(4));
  EXPECT_NE(BatchOrder(10, 3, 6).Rows(4), order.Rows(4));
  // More rows than there are.
  const std::vector<size_t> many = BatchOrder(4, 8, 1).Rows(2);
  for (size_t row = 0; row < 4; ++row) EXPECT_EQ(std::count(many.begin(), many.end(), row), 2);
}

TEST(DataStatisticsTest, OfAFewRows) {
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 4, 3);
  const int codes[4][3] = {{0, 0, 1}, {2, 2, 1}, {0, 0, 1}, {2, 2, 1}};
  for (size_t row = 0; row < 4; ++row) {
    for (size_t v = 0; v < 3; ++v) genotypes.Set(row, v, codes[row][v]);
  }
  const DataStatistics one = DescribeData(genotypes, {0, 0, 0, 0}, 1, at::kCPU);
  EXPECT_FLOAT_EQ(one.means[0][0].item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(one.deviations[0].item<float>(), 1.0F);
  EXPECT_FLOAT_EQ(one.deviations[2].item<float>(), 0.0F);
  EXPECT_NEAR(one.neighbour_r2, (1.0 + 0.0) / 2 - 0.25, 1e-9);
  const at::Tensor frequencies = StateFrequencies(one);
  EXPECT_NEAR(frequencies[0][0][0].item<double>(), 2.25 / 4.75, 1e-6);
  EXPECT_NEAR(frequencies[0][1][2].item<double>(), 4.25 / 4.75, 1e-6);
  // Within groups of equal rows nothing varies.
  const DataStatistics two = DescribeData(genotypes, {0, 1, 0, 1}, 2, at::kCPU);
  EXPECT_FLOAT_EQ(two.means[1][0].item<float>(), 2.0F);
  EXPECT_FLOAT_EQ(two.deviations[0].item<float>(), 0.0F);
  EXPECT_EQ(two.neighbour_r2, 0.0);
}

TEST(PrincipalComponentsTest, AgreesWithTheFullDecompositionOfSureCorrelations) {
  const TestData data = SimulateGenotypes(120, 40);
  const std::vector<int64_t> groups(120, 0);
  const DataStatistics statistics = DescribeData(data.set.genotypes, groups, 1, at::kCPU);
  TrainingNoise noise(1, at::kCPU);
  const PrincipalComponents found =
      FindComponents(data.set.genotypes, groups, statistics.means, statistics.deviations, 8, noise);
  std::vector<size_t> rows(120);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  const at::Tensor z = (DecodeRows(data.set.genotypes, rows, at::kCPU) - statistics.means) / statistics.deviations;
  const at::Tensor all = at::mm(z.t(), z) / 120.0;
  const at::Tensor sure = at::where(at::ge(at::abs(all), 4 / std::sqrt(120.0)), all, at::zeros_like(all));
  EXPECT_GT(at::sum(at::ne(sure, 0)).item<int64_t>(), 40) << "more than the diagonal is left";
  EXPECT_LT(at::sum(at::ne(sure, 0)).item<int64_t>(), 1600) << "and not all";
  const auto values = std::get<0>(at::linalg_eigh(sure)).flip(0).slice(0, 0, 8);
  const at::Tensor shares = at::sum(found.loadings * found.loadings, 0);
  EXPECT_LT(at::max(at::abs(shares - values)).item<double>(), 0.02 * values[0].item<double>());
  EXPECT_LT(at::max(at::abs(at::mean(found.scores * found.scores, 0) - 1)).item<double>(), 1e-3);
}

TEST(CalibrationTest, ReachesTheFrequencies) {
  TrainingNoise noise(3, at::kCPU);
  const at::Tensor frequencies = noise.Uniform({300}).mul_(0.98).add_(0.01);
  // Soft and sharp variants.
  const at::Tensor logits = noise.Normal({1024, 300}) * noise.Uniform({300}).mul_(4).exp_();
  const at::Tensor biases = CalibrateAlleles(logits, frequencies, at::zeros({300}));
  EXPECT_LT(at::max(at::abs(at::mean(at::sigmoid(logits + biases), 0) - frequencies)).item<double>(), 3e-3);

  const at::Tensor weights = noise.Gumbel({3, 300}).exp_().clamp_min_(0.05);
  const at::Tensor states = weights / at::sum(weights, 0, true);
  const at::Tensor three = at::stack({logits * 0, logits, 2 * logits}, 1);
  const at::Tensor both = CalibrateGenotypes(three, states, at::zeros({3, 300}));
  EXPECT_LT(at::max(at::abs(at::mean(at::softmax(three + both, 1), 0) - states)).item<double>(), 3e-3);
}

TEST(CalibrationTest, LiabilitiesExplainTheShareAskedFor) {
  TrainingNoise noise(4, at::kCPU);
  const at::Tensor hidden = noise.Normal({2048, 3});
  at::Tensor loadings = at::zeros({6, 3});
  for (int64_t v = 0; v < 6; ++v) loadings[v][v / 2] = std::sqrt(0.1 + 0.15 * static_cast<double>(v));
  const at::Tensor frequencies = at::full({1, 6}, 0.3);
  // What neighbours have with these shares: mean of s0 s1, s2 s3 and s4 s5, and of two pairs that share no component.
  const LiabilityModel model = FitLiability(hidden, loadings, frequencies, (0.1 * 0.25 + 0.4 * 0.55 + 0.7 * 0.85) / 5);
  const at::Tensor p = at::sigmoid(at::mm(hidden, model.weights.t()) + model.biases);
  for (int64_t v = 0; v < 6; ++v) {
    EXPECT_NEAR(at::mean(p.select(1, v)).item<double>(), 0.3, 2e-3);
    const double share = at::var(p.select(1, v), 0, false).item<double>() / 0.21;
    EXPECT_NEAR(share, 0.1 + 0.15 * static_cast<double>(v), 0.02);
  }
  // More linkage asked for makes all sharper.
  const LiabilityModel sharper = FitLiability(hidden, loadings, frequencies, 0.25);
  EXPECT_GT(at::min(at::sum(at::abs(sharper.weights), 1) / at::sum(at::abs(model.weights), 1)).item<double>(), 1.1);
  // Less makes genotypes softer.
  const at::Tensor genotypes = at::tensor({0.49F, 0.42F, 0.09F}).unsqueeze(1).expand({3, 6}).contiguous();
  const at::Tensor much = at::abs(FitLiability(hidden, loadings, genotypes, 0.2).weights);
  const at::Tensor little = at::abs(FitLiability(hidden, loadings, genotypes, 0.05).weights);
  EXPECT_LT(at::max(at::sum(little, 1) / at::sum(much, 1)).item<double>(), 0.95);
}

}  // namespace
}  // namespace genoserve
