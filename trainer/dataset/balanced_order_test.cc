#include "trainer/dataset/balanced_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace genoserve {
namespace {

// 90 rows of label 0, 7 of label 1 and 3 of label 4.
std::vector<int> UnevenLabels() {
  std::vector<int> labels(100, 0);
  for (size_t i = 0; i < 7; ++i) labels[i * 13] = 1;
  for (size_t i = 0; i < 3; ++i) labels[50 + i] = 4;
  return labels;
}

TEST(BalancedOrderTest, EveryLabelComesAsOftenAndEveryRowOfALabelToo) {
  const std::vector<int> labels = UnevenLabels();
  std::vector<int> times(labels.size());
  for (int64_t pass = 0; pass < 20; ++pass) {
    const std::vector<size_t> order = BalancedOrder(labels, 3, pass);
    ASSERT_EQ(order.size(), 99U) << "33 of each";
    std::vector<int> of_label(5);
    for (const size_t row : order) {
      ++times[row];
      ++of_label[static_cast<size_t>(labels[row])];
    }
    EXPECT_THAT(of_label, testing::ElementsAre(33, 33, 0, 0, 33));
    for (const int label : {0, 1, 4}) {
      std::vector<int> of_rows;
      for (size_t row = 0; row < labels.size(); ++row) {
        if (labels[row] == label) of_rows.push_back(times[row]);
      }
      const auto [fewest, most] = std::minmax_element(of_rows.begin(), of_rows.end());
      EXPECT_LE(*most - *fewest, 1) << "label " << label << " after pass " << pass;
    }
  }
}

TEST(BalancedOrderTest, IsShuffledAndAFunctionOfSeedAndPass) {
  const std::vector<int> labels = UnevenLabels();
  const std::vector<size_t> order = BalancedOrder(labels, 3, 5);
  EXPECT_EQ(BalancedOrder(labels, 3, 5), order);
  EXPECT_NE(BalancedOrder(labels, 4, 5), order);
  EXPECT_NE(BalancedOrder(labels, 3, 6), order);
  // Labels are mixed: in a third of the order all of them come.
  std::vector<int> of_label(5);
  for (size_t i = 0; i < 33; ++i) ++of_label[static_cast<size_t>(labels[order[i]])];
  EXPECT_GT(of_label[0], 3);
  EXPECT_GT(of_label[1], 3);
  EXPECT_GT(of_label[4], 3);
}

TEST(BalancedOrderTest, MoreLabelsThanShares) {
  EXPECT_THAT(BalancedOrder({2, 0, 1}, 1, 0), testing::UnorderedElementsAre(0, 1, 2));
  EXPECT_THAT(BalancedOrder({7}, 1, 9), testing::ElementsAre(0));
}

}  // namespace
}  // namespace genoserve
