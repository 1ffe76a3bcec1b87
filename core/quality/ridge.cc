#include "core/quality/ridge.h"

namespace genoserve {

KernelRidge::KernelRidge(const Eigen::MatrixXf& products, const Eigen::MatrixXd& targets) {
  Eigen::MatrixXd kernel = products.cast<double>();
  const Eigen::RowVectorXd means = kernel.colwise().mean();
  kernel.rowwise() -= means;
  kernel.colwise() -= means.transpose();
  kernel.array() += means.mean();
  const double ridge = kernel.diagonal().mean();
  // Where all training samples are the same, no weight differs from 0, whatever the ridge.
  kernel.diagonal().array() += ridge > 0 ? ridge : 1;
  const Eigen::RowVectorXd target_means = targets.colwise().mean();
  dual_ = targets.rowwise() - target_means;
  Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>>(kernel).solveInPlace(dual_);
  // As columns of the dual sum to 0, centring a tested sample takes the same number from all of its predictions.
  intercept_ = target_means - means * dual_;
}

Eigen::MatrixXd KernelRidge::Predict(const Eigen::MatrixXf& products) const {
  return (products.cast<double>() * dual_).rowwise() + intercept_;
}

}  // namespace genoserve
