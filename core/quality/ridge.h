// Ridge regression of genotypes through their products: as RR-BLUP and as a linear classifier.
#pragma once

#include <Eigen/Dense>

namespace genoserve {

/// Ridge regression of several targets on ALT counts with an intercept, in its dual form (Saunders, Gammerman and Vovk
/// 1998), of which the cost grows with samples and not with variants: a = (K + l I)^-1 (Y - mean Y), where K = C G C is
/// the matrix of products G = X X' centred by the training mean. l is the mean of K's diagonal, which in the mixed
/// model y = m + g + e, g ~ N(0, K s^2) (RR-BLUP or GBLUP, Meuwissen et al. 2001, VanRaden 2008 method 1) says that
/// half of the variance is heritable. Const methods are thread-safe.
class KernelRidge {
 public:
  /// Fits. `products` is training x training, `targets` is training x targets; at least one row.
  KernelRidge(const Eigen::MatrixXf& products, const Eigen::MatrixXd& targets);

  /// Predictions, tested x targets, for samples with these products, tested x training.
  Eigen::MatrixXd Predict(const Eigen::MatrixXf& products) const;

 private:
  Eigen::MatrixXd dual_;          // training x targets; each column sums to 0
  Eigen::RowVectorXd intercept_;  // with all that does not depend on the tested sample
};

}  // namespace genoserve
