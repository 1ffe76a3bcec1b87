#include "core/quality/roc.h"

#include <gtest/gtest.h>

#include <vector>

namespace genoserve {
namespace {

// Everybody once, of cohorts of `people` each.
RocFigures FiguresOf(const Roc& roc, size_t people) {
  const std::vector<uint32_t> once(people, 1);
  return roc.Figures(once, once);
}

TEST(RocTest, ByHand) {
  // Members 4 and 2 against 3 and 1: three of four pairs are in order. Down the scores: up, right, up, right.
  const Roc roc(std::vector<double>{4, 2}, std::vector<double>{3, 1}, 1);
  const RocFigures figures = FiguresOf(roc, 2);
  EXPECT_DOUBLE_EQ(figures.auc, 0.75);
  // (0, 1/2), then right to (1/2, 1/2), where half of all rows are called members.
  EXPECT_DOUBLE_EQ(figures.advantage, 0);
  EXPECT_DOUBLE_EQ(figures.tpr_at_1_fpr, 0.5);
}

TEST(RocTest, TiesCountHalf) {
  const Roc roc(std::vector<double>{1, 1, 1}, std::vector<double>{1, 1, 1}, 1);
  const RocFigures figures = FiguresOf(roc, 3);
  EXPECT_DOUBLE_EQ(figures.auc, 0.5);
  EXPECT_DOUBLE_EQ(figures.advantage, 0);
  EXPECT_DOUBLE_EQ(figures.tpr_at_1_fpr, 0.01);
  EXPECT_EQ(roc.Curve(std::vector<uint32_t>{1, 1, 1}, std::vector<uint32_t>{1, 1, 1}).size(), 2U);
}

TEST(RocTest, PerfectAndReversed) {
  const std::vector<double> high = {3, 4};
  const std::vector<double> low = {1, 2};
  const Roc perfect(high, low, 1);
  EXPECT_DOUBLE_EQ(FiguresOf(perfect, 2).auc, 1);
  EXPECT_DOUBLE_EQ(FiguresOf(perfect, 2).advantage, 1);
  EXPECT_DOUBLE_EQ(FiguresOf(perfect, 2).tpr_at_1_fpr, 1);
  const Roc reversed(low, high, 1);
  EXPECT_DOUBLE_EQ(FiguresOf(reversed, 2).auc, 0);
  EXPECT_DOUBLE_EQ(FiguresOf(reversed, 2).advantage, -1);
  EXPECT_DOUBLE_EQ(FiguresOf(reversed, 2).tpr_at_1_fpr, 0);
}

TEST(RocTest, PeopleCountAsOftenAsTheyAreDrawn) {
  // People of two rows. Members 5 and 1, the others' 7 left out, against 4, 0.
  const Roc roc(std::vector<double>{5, 1, 9, 9}, std::vector<double>{4, 0, 7, 7}, 2);
  EXPECT_DOUBLE_EQ(roc.Figures(std::vector<uint32_t>{2, 0}, std::vector<uint32_t>{2, 0}).auc, 0.75);
  EXPECT_DOUBLE_EQ(roc.Figures(std::vector<uint32_t>{0, 2}, std::vector<uint32_t>{0, 2}).auc, 1);
  // 5 and 1, and thrice 9 and 9, against 4, 0, 7, 7: (1 of 4, 3 of 4, then all).
  EXPECT_DOUBLE_EQ(roc.Figures(std::vector<uint32_t>{1, 3}, std::vector<uint32_t>{1, 1}).auc,
                   (2.0 / 4 + 1.0 / 4 + 6) / 8);
}

TEST(RocTest, ThinnedKeepsBothEnds) {
  std::vector<RocPoint> curve;
  for (int i = 0; i <= 1000; ++i) curve.push_back({i / 1000.0, i / 1000.0});
  const std::vector<RocPoint> thinned = Thinned(curve, 11);
  ASSERT_EQ(thinned.size(), 11U);
  EXPECT_EQ(thinned.front().false_positive_rate, 0);
  EXPECT_EQ(thinned[5].false_positive_rate, 0.5);
  EXPECT_EQ(thinned.back().true_positive_rate, 1);
  EXPECT_EQ(Thinned(thinned, 11).size(), 11U);
}

}  // namespace
}  // namespace genoserve
