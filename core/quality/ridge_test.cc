#include "core/quality/ridge.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

// The primal form: (X'X + l I) b = X'y on centred X and y.
TEST(RidgeTest, IsThePrimalRidgeRegression) {
  Eigen::MatrixXf x(5, 3);
  x << 0, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 2, 1, 0, 0;
  Eigen::MatrixXf tested(2, 3);
  tested << 2, 2, 0, 0, 1, 1;
  Eigen::MatrixXd y(5, 2);
  y << 1, 0, 4, 1, 3, 1, -2, 0, 5, 1;
  const KernelRidge ridge(x * x.transpose(), y);
  const Eigen::MatrixXd predicted = ridge.Predict(tested * x.transpose());

  const Eigen::RowVectorXd mean = x.cast<double>().colwise().mean();
  const Eigen::MatrixXd centred = x.cast<double>().rowwise() - mean;
  const double penalty = centred.rowwise().squaredNorm().mean();
  const Eigen::MatrixXd normal = centred.transpose() * centred + penalty * Eigen::MatrixXd::Identity(3, 3);
  const Eigen::MatrixXd weights = normal.inverse() * centred.transpose() * (y.rowwise() - y.colwise().mean());
  const Eigen::MatrixXd expected = ((tested.cast<double>().rowwise() - mean) * weights).rowwise() + y.colwise().mean();
  EXPECT_TRUE(predicted.isApprox(expected, 1e-10)) << predicted << "\n" << expected;
}

TEST(RidgeTest, PredictsTheMeanWhereAllTrainingSamplesAreTheSame) {
  const Eigen::MatrixXf x = Eigen::MatrixXf::Ones(4, 3);
  Eigen::MatrixXd y(4, 1);
  y << 1, 2, 3, 6;
  const Eigen::MatrixXf tested = Eigen::MatrixXf::Constant(1, 3, 2);
  EXPECT_DOUBLE_EQ(KernelRidge(x * x.transpose(), y).Predict(tested * x.transpose())(0, 0), 3);
}

}  // namespace
}  // namespace genoserve
