// Large panels, with limits that make small ones large.
#include "trainer/objective/sure_correlations.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "trainer/objective/counted_correlations.h"
#include "trainer/objective/data_statistics.h"
#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

double LargestDifference(const at::Tensor& a, const at::Tensor& b) { return at::max(at::abs(a - b)).item<double>(); }

at::Tensor Matrix(const SureCorrelations& correlations, int64_t variants) {
  return correlations.Times(at::eye(variants));
}

TEST(CountedCorrelationsTest, AreThoseOfProductsOfFloats) {
  const TestData data = SimulateGenotypes(150, 300);
  GenotypeMatrix haplotypes(Packing::kHaplotype1Bit, 150, 300);
  for (size_t row = 0; row < 150; ++row) {
    for (size_t v = 0; v < 300; ++v) haplotypes.Set(row, v, data.set.genotypes.Get(row, v) > 0 ? 1 : 0);
  }
  std::vector<int64_t> groups(150);
  for (size_t row = 0; row < groups.size(); ++row) groups[row] = row % 4 == 0 ? 1 : 0;
  for (const GenotypeMatrix* genotypes : {&data.set.genotypes, static_cast<const GenotypeMatrix*>(&haplotypes)}) {
    const DataStatistics statistics = DescribeData(*genotypes, groups, 2, at::kCPU);
    const StandardisedCodes z(*genotypes, groups, statistics.means, statistics.deviations);
    const at::Tensor all = z.Correlations(0, 300);
    const CountedCorrelations counted(z);
    EXPECT_LT(LargestDifference(counted.Of({3, 7, 299}, 5), at::stack({all[3], all[7], all[299]}).slice(1, 5)), 1e-5);
  }
}

TEST(SureCorrelationsTest, OfALargePanelAreThoseOfASmallOne) {
  const TestData data = SimulateGenotypes(120, 40);
  const std::vector<int64_t> groups(120, 0);
  const DataStatistics statistics = DescribeData(data.set.genotypes, groups, 1, at::kCPU);
  const StandardisedCodes z(data.set.genotypes, groups, statistics.means, statistics.deviations);
  TrainingNoise noise(1, at::kCPU);
  const SureCorrelations small(z, {}, noise);
  const SureCorrelations large(z, {.small_variants = 39}, noise);
  EXPECT_EQ(large.kept(), small.kept());
  EXPECT_EQ(large.components(), 0);
  EXPECT_LT(LargestDifference(Matrix(small, 40), Matrix(large, 40)), 1e-5);
}

TEST(SureCorrelationsTest, KeepsTheLargestWhereThereAreTooMany) {
  const TestData data = SimulateGenotypes(120, 40);
  const std::vector<int64_t> groups(120, 0);
  const DataStatistics statistics = DescribeData(data.set.genotypes, groups, 1, at::kCPU);
  const StandardisedCodes z(data.set.genotypes, groups, statistics.means, statistics.deviations);
  TrainingNoise noise(1, at::kCPU);
  const SureCorrelations whole(z, {}, noise);
  const int64_t most = 100;
  ASSERT_GT(whole.kept(), most);
  const SureCorrelations bounded(z, {.small_variants = 39, .most = most}, noise);
  EXPECT_LE(bounded.kept(), most);
  EXPECT_GT(bounded.kept(), most / 4);
  EXPECT_TRUE(at::equal(Matrix(bounded, 40), Matrix(bounded, 40).t()) ||
              LargestDifference(Matrix(bounded, 40), Matrix(bounded, 40).t()) < 1e-5);
}

// Two populations that differ at every variant, and no linkage: all pairs of variants correlate.
TEST(SureCorrelationsTest, PopulationsAreStructureAndNotPairs) {
  const size_t rows = 400;
  const size_t variants = 300;
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, rows, variants);
  std::mt19937_64 random(1);
  for (size_t row = 0; row < rows; ++row) {
    for (size_t v = 0; v < variants; ++v) {
      std::binomial_distribution<int> code(2, (row + v) % 2 == 0 ? 0.25 : 0.75);
      genotypes.Set(row, v, code(random));
    }
  }
  const std::vector<int64_t> groups(rows, 0);
  const DataStatistics statistics = DescribeData(genotypes, groups, 1, at::kCPU);
  const StandardisedCodes z(genotypes, groups, statistics.means, statistics.deviations);
  TrainingNoise noise(1, at::kCPU);
  ASSERT_GT(SureCorrelations(z, {}, noise).kept(), 80000);
  const SureCorrelations parted(z, {.small_variants = 299, .most = 20000}, noise);
  EXPECT_EQ(parted.components(), 1);
  EXPECT_LT(parted.kept(), 400) << "the diagonal, and what chance makes";
  EXPECT_GE(parted.kept(), 300);
  const at::Tensor off = 1 - at::eye(300);
  EXPECT_LT(LargestDifference(Matrix(parted, 300) * off, z.Correlations(0, 300) * off), 4 / std::sqrt(400.0));
}

}  // namespace
}  // namespace genoserve
