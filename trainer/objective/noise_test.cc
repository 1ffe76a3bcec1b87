#include "trainer/objective/noise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace genoserve {
namespace {

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.contiguous();
  return {dense.const_data_ptr<float>(), dense.const_data_ptr<float>() + dense.numel()};
}

TEST(BatchRowsTest, PartsAreTheWholeInOrderAndNearlyEqual) {
  for (const int size : {1, 2, 3, 4, 7}) {
    std::vector<int64_t> all;
    for (int rank = 0; rank < size; ++rank) {
      const BatchRows part = BatchRows::Part(10, rank, size);
      EXPECT_EQ(part.total, 10);
      EXPECT_GE(part.count(), 10 / size);
      EXPECT_LE(part.count(), 10 / size + 1);
      EXPECT_EQ(part.all(), size == 1);
      all.insert(all.end(), part.rows.begin(), part.rows.end());
    }
    EXPECT_EQ(all, BatchRows::All(10).rows) << size;
  }
}

// Rows of 7 numbers begin inside Philox's blocks of 4.
TEST(NoiseTest, RowsOfABatchAreDrawnAsInTheWhole) {
  const BatchRows all = BatchRows::All(9);
  for (const BatchRows& rows : {BatchRows{{2, 3, 4}, 9}, BatchRows{{8, 0, 5}, 9}, BatchRows{{}, 9}}) {
    for (int call = 0; call < 4; ++call) {
      const auto draw = [call](const BatchRows& some) {
        TrainingNoise noise(5, at::kCPU);
        noise.StartStep(3);
        for (int i = 0; i < call; ++i) noise.Uniform({1});
        if (call == 0) return noise.Normal(some, {7});
        if (call == 1) return noise.Uniform(some, {7});
        return call == 2 ? noise.Gumbel(some, {7}) : noise.Logistic(some, {7, 1}).squeeze(2);
      };
      EXPECT_EQ(Values(draw(rows)), Values(rows.Of(draw(all)))) << call;
    }
  }
}

TEST(NoiseTest, ABatchIsDrawnAsATensorOfItsSize) {
  TrainingNoise first(5, at::kCPU);
  TrainingNoise second(5, at::kCPU);
  EXPECT_EQ(Values(first.Normal(BatchRows::All(6), {2, 5})), Values(second.Normal({6, 2, 5})));
  EXPECT_EQ(Values(first.Uniform(BatchRows::All(6), {2, 5})), Values(second.Uniform({6, 2, 5})));
}

// 600 calls: more than the 8 bits that calls once had.
TEST(NoiseTest, CallsStepsAndAttemptsDrawOtherNumbers) {
  std::set<float> seen;
  TrainingNoise noise(5, at::kCPU);
  size_t draws = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    noise.SetAttempt(attempt);
    for (int step = 0; step < 2; ++step) {
      noise.StartStep(step);
      for (int call = 0; call < 600; ++call, ++draws) seen.insert(Values(noise.Normal({1}))[0]);
    }
  }
  EXPECT_EQ(seen.size(), draws);
}

}  // namespace
}  // namespace genoserve
