#include "core/quality/frequency_blocks.h"

#include <gmock/gmock.h>

#include <cmath>
#include <vector>

#include "core/quality/agreement.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

const double kNan = std::nan("");

// Numbers of [0, 1).
std::vector<double> Numbers(uint64_t seed, size_t count) {
  TestRandom random(seed);
  std::vector<double> numbers(count);
  for (double& number : numbers) number = static_cast<double>(random.Below(1000)) / 1000;
  return numbers;
}

TEST(VariantBlocksTest, CoverAllVariantsInRunsOfNearlyEqualSize) {
  for (const size_t variants : {0, 1, 9, 10, 57, 805, 4001, 10000}) {
    const VariantBlocks blocks(variants);
    EXPECT_EQ(blocks.Begin(0), 0);
    EXPECT_EQ(blocks.Begin(blocks.count()), variants);
    for (size_t block = 0; block < blocks.count(); ++block) {
      const size_t size = blocks.Begin(block + 1) - blocks.Begin(block);
      EXPECT_GE(size, variants / blocks.count());
      EXPECT_LE(size, variants / blocks.count() + 1);
    }
  }
  EXPECT_EQ(VariantBlocks(9).count(), 9);
  EXPECT_EQ(VariantBlocks(57).count(), 10);
  EXPECT_EQ(VariantBlocks(805).count(), 40);
  EXPECT_EQ(VariantBlocks(10000).count(), 200);
}

TEST(MeasureAgreementTest, ValuesAreThoseOfCompare) {
  const std::vector<double> x = Numbers(1, 600);
  std::vector<double> y = Numbers(2, 600);
  for (size_t i = 0; i < y.size(); ++i) y[i] = 0.7 * x[i] + 0.3 * y[i];
  y[17] = kNan;
  const Agreement agreement = Compare(x, y);
  // Two numbers a variant.
  const MeasuredAgreement measured = MeasureAgreement(VariantBlocks(300), x, y, 3, "unused");
  EXPECT_EQ(measured.pearson.value, agreement.pearson);
  EXPECT_EQ(measured.rmse.value, agreement.rmse);
  EXPECT_EQ(measured.max_difference.value, agreement.max_difference);
  EXPECT_EQ(measured.rmse.n, 599);
  EXPECT_LE(measured.max_difference.high, agreement.max_difference);
}

TEST(MeasureAgreementTest, IntervalsAreThoseOfTheTheory) {
  // Independent differences: the mean of n squares has a standard error of sd / sqrt(n), its root half of it by the
  // root; and Fisher's z of r has 1 / sqrt(n).
  constexpr size_t kCount = 4000;
  const std::vector<double> x = Numbers(4, kCount);
  const std::vector<double> noise = Numbers(5, kCount);
  std::vector<double> y(kCount);
  double squares = 0;
  double fourths = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const double difference = noise[i] - 0.5;
    y[i] = x[i] + difference;
    squares += difference * difference / kCount;
    fourths += std::pow(difference, 4) / kCount;
  }
  const MeasuredAgreement measured = MeasureAgreement(VariantBlocks(kCount), x, y, 6, "unused");
  const double rmse_error = std::sqrt((fourths - squares * squares) / kCount) / (2 * std::sqrt(squares));
  EXPECT_NEAR(measured.rmse.high - measured.rmse.low, 2 * 1.96 * rmse_error, 0.8 * rmse_error);
  const double r = measured.pearson.value;
  // Of uniform numbers r varies less than of normal ones, by less than half.
  const double r_error = (1 - r * r) / std::sqrt(double{kCount});
  EXPECT_GT(measured.pearson.high - measured.pearson.low, 2 * r_error);
  EXPECT_LT(measured.pearson.high - measured.pearson.low, 2 * 2.4 * r_error);
}

TEST(MeasureAgreementTest, SaysWhyThereIsNone) {
  const std::vector<double> varied = {0.1, 0.2, 0.3, 0.4};
  const std::vector<double> constant(4, 0.3);
  const std::vector<double> missing(4, kNan);
  const VariantBlocks blocks(4);
  EXPECT_EQ(MeasureAgreement(blocks, varied, missing, 1, "nothing").rmse.reason, "nothing");
  const MeasuredAgreement flat = MeasureAgreement(blocks, varied, constant, 1, "nothing");
  EXPECT_THAT(flat.pearson.reason, ::testing::HasSubstr("no correlation"));
  EXPECT_DOUBLE_EQ(flat.max_difference.value, 0.2);
  EXPECT_EQ(MeasureAgreement(VariantBlocks(0), {}, {}, 1, "nothing").pearson.reason, "nothing");
}

TEST(MeasureRatioTest, DividesSums) {
  const std::vector<double> numerators = {1, 2, 0, 3};
  const std::vector<double> denominators = {2, 2, 0, 4};
  const Measurement ratio = MeasureRatio(VariantBlocks(4), numerators, denominators, 1, "nothing");
  EXPECT_DOUBLE_EQ(ratio.value, 0.75);
  EXPECT_EQ(ratio.n, 3);
  EXPECT_GE(ratio.low, 0.5);
  EXPECT_LE(ratio.high, 1.0);
  const std::vector<double> zeros(4, 0.0);
  EXPECT_EQ(MeasureRatio(VariantBlocks(4), numerators, zeros, 1, "nothing").reason, "nothing");
}

TEST(MeasureRatioTest, WholeBlocksAreDrawn) {
  // Neighbours are alike: 20 runs of 20 equal numbers. Drawing single variants, the standard error would be
  // 0.5 / sqrt(400) = 0.025; drawing runs it is 0.5 / sqrt(20) = 0.112.
  std::vector<double> runs(400);
  for (size_t v = 0; v < runs.size(); ++v) runs[v] = v / 20 % 2 == 0 ? 1 : 0;
  const std::vector<double> ones(400, 1.0);
  const Measurement share = MeasureRatio(VariantBlocks(400), runs, ones, 1, "nothing");
  EXPECT_DOUBLE_EQ(share.value, 0.5);
  EXPECT_NEAR(share.high - share.low, 2 * 1.96 * 0.112, 0.1);
}

}  // namespace
}  // namespace genoserve
