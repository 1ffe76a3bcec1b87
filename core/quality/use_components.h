// Principal components of genotypes through their products.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>

namespace genoserve {

/// Leading principal components of centred ALT counts, from products alone: eigenvectors of C G C by subspace iteration
/// with Rayleigh-Ritz (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.3), started by Philox. Const methods are
/// thread-safe.
class Components {
 public:
  /// `products` is training x training; at most `most` components, fewer where the training has no more.
  Components(const Eigen::MatrixXf& products, size_t most, uint64_t seed);

  size_t count() const { return static_cast<size_t>(axes_.cols()); }
  /// Scores, tested x count(), of samples with these products, tested x training. The unit is the standard deviation of
  /// the training's first component, so that components weigh as much as they vary.
  Eigen::MatrixXf Scores(const Eigen::MatrixXf& products) const;

 private:
  Eigen::MatrixXd axes_;  // training x count; eigenvector / sqrt(eigenvalue), in that unit; each column sums to 0
  Eigen::RowVectorXd intercept_;  // what centring the tested sample takes from each score
};

}  // namespace genoserve
