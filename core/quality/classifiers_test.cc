#include "core/quality/classifiers.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(ClassifiersTest, FiveNearestVote) {
  const std::vector<uint32_t> distances = {9, 1, 2, 3, 4, 5, 0};
  EXPECT_EQ(LabelOfNeighbours(distances, std::vector<int>{0, 2, 1, 1, 1, 2, 2}), 1 + 0);
  // Of equally near ones the first count: the last two samples are out.
  EXPECT_EQ(LabelOfNeighbours(std::vector<uint32_t>(7, 1), std::vector<int>{0, 0, 0, 1, 1, 1, 1}), 0);
  // Two votes each: that with the nearest wins.
  EXPECT_EQ(LabelOfNeighbours(std::vector<uint32_t>{5, 4, 3, 2, 1}, std::vector<int>{0, 0, 2, 1, 1}), 1);
  EXPECT_EQ(LabelOfNeighbours(std::vector<uint32_t>{1, 4, 3, 2, 5}, std::vector<int>{0, 0, 2, 1, 1}), 0);
  EXPECT_EQ(LabelOfNeighbours(std::vector<uint32_t>{8, 3}, std::vector<int>{4, 3}), 3);
}

TEST(ClassifiersTest, TakesTheLargestScore) {
  Eigen::MatrixXd scores(2, 3);
  scores << 0.1, 0.7, 0.2, 3, -1, 2;
  EXPECT_EQ(LargestOfRows(scores), (std::vector<int>{1, 0}));
  EXPECT_EQ(OneHot(std::vector<int>{2, 0}, 3), (Eigen::MatrixXd(2, 3) << 0, 0, 1, 1, 0, 0).finished());
}

// Exclusive or, which no linear classifier learns.
TEST(ClassifiersTest, NetworkLearnsWhatIsNotLinear) {
  Eigen::MatrixXf inputs(400, 2);
  std::vector<int> labels;
  for (Eigen::Index i = 0; i < inputs.rows(); ++i) {
    const bool a = i % 2 == 1;
    const bool b = i / 2 % 2 == 1;
    inputs.row(i) << (a ? 1.F : -1.F) + 0.001F * static_cast<float>(i), (b ? 1.F : -1.F);
    labels.push_back(a == b ? 2 : 0);
  }
  const Network network(inputs, labels, 3, 5);
  Eigen::MatrixXf tested(4, 2);
  tested << -0.8F, -1.1F, 1.3F, -1, -1, 0.9F, 1, 1;
  const Eigen::MatrixXd probabilities = network.Predict(tested);
  EXPECT_EQ(LargestOfRows(probabilities), (std::vector<int>{2, 0, 0, 2}));
  EXPECT_TRUE(probabilities.rowwise().sum().isApproxToConstant(1, 1e-5));
  EXPECT_LT(probabilities.col(1).maxCoeff(), 0.05);
  EXPECT_EQ(Network(inputs, labels, 3, 5).Predict(tested), probabilities);
  EXPECT_NE(Network(inputs, labels, 3, 6).Predict(tested), probabilities);
}

}  // namespace
}  // namespace genoserve
