#include "trainer/objective/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace genoserve {
namespace {

TEST(BatchOrderTest, EveryRowComesOnceAPass) {
  BatchOrder order(12, 4, 1);
  std::multiset<size_t> seen;
  for (int64_t batch = 0; batch < order.batches(); ++batch) {
    for (const size_t row : order.Rows(batch)) seen.insert(row);
  }
  EXPECT_EQ(seen.size(), 12);
  EXPECT_EQ(std::set<size_t>(seen.begin(), seen.end()).size(), 12);
}

// 90 rows of one label and 10 of another: a balanced pass has 50 of each, a plain one 90 and 10.
TEST(BatchOrderTest, BalancedLabelsComeEquallyOften) {
  std::vector<int> labels(100, 0);
  for (size_t row = 90; row < 100; ++row) labels[row] = 1;
  const auto of_second_label = [](BatchOrder order) {
    size_t count = 0;
    for (int64_t batch = 0; batch < order.batches(); ++batch) {
      for (const size_t row : order.Rows(batch)) count += row >= 90 ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(of_second_label(BatchOrder(100, 10, 7, labels)), 50);
  EXPECT_EQ(of_second_label(BatchOrder(100, 10, 7)), 10);
}

// A process decodes its own rows only, in their order, wherever it begins.
TEST(RealBatchesTest, HoldTheRowsOfTheOrder) {
  GenotypeMatrix genotypes(Packing::kHaplotype1Bit, 20, 30);
  for (size_t row = 0; row < 20; ++row) {
    for (size_t v = 0; v < 30; ++v) genotypes.Set(row, v, static_cast<int>((row * row + v * row + v) % 3 % 2));
  }
  BatchOrder order(20, 6, 7);
  const BatchRows part = BatchRows::Part(6, 1, 2);
  RealBatches batches(genotypes, order, part);
  for (const int64_t index : {0, 1, 2, 3, 11, 12, 4}) {
    const std::vector<size_t> rows = order.Rows(index);
    const std::vector<size_t> wanted(rows.begin() + 3, rows.end());
    EXPECT_EQ(batches.Rows(index), wanted);
    EXPECT_TRUE(at::equal(batches.Batch(index, at::kCPU), DecodeRows(genotypes, wanted, at::kCPU))) << index;
  }
}

}  // namespace
}  // namespace genoserve
