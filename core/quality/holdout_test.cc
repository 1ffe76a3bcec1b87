#include "core/quality/holdout.h"

#include <gmock/gmock.h>

#include <set>

namespace genoserve {
namespace {

TEST(HoldoutTest, KeepsTheShareOfEachLabelApart) {
  std::vector<int> labels(100, 0);
  for (size_t i = 80; i < 100; ++i) labels[i] = 1;
  const Split split = SplitHoldout(100, labels, {}, 0.2);
  size_t of_first = 0;
  for (const size_t i : split.holdout) of_first += labels[i] == 0 ? 1 : 0;
  EXPECT_EQ(of_first, 16U);
  EXPECT_EQ(split.holdout.size(), 20U);
  EXPECT_EQ(split.training.size(), 80U);
  std::set<size_t> all(split.training.begin(), split.training.end());
  all.insert(split.holdout.begin(), split.holdout.end());
  EXPECT_EQ(all.size(), 100U);
  EXPECT_EQ(SplitHoldout(100, labels, {}, 0.2).holdout, split.holdout);
}

TEST(HoldoutTest, FamiliesAreNotParted) {
  std::vector<int> families(90);
  for (size_t i = 0; i < families.size(); ++i) families[i] = static_cast<int>(i / 3);
  const Split split = SplitHoldout(90, {}, families, 0.2);
  EXPECT_EQ(split.holdout.size(), 18U);
  std::set<int> apart;
  for (const size_t i : split.holdout) apart.insert(families[i]);
  for (const size_t i : split.training) EXPECT_EQ(apart.count(families[i]), 0U);
}

TEST(HoldoutTest, AFamilyThatIsTooLargeStaysInTheTraining) {
  std::vector<int> families(20, 0);
  for (size_t i = 10; i < 20; ++i) families[i] = static_cast<int>(i);
  const Split split = SplitHoldout(20, {}, families, 0.2);
  EXPECT_EQ(split.holdout.size(), 4U);
  for (const size_t i : split.holdout) EXPECT_GE(i, 10U);
}

}  // namespace
}  // namespace genoserve
