#include "core/quality/use_components.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/philox.h"

namespace genoserve {
namespace {

constexpr Eigen::Index kMore = 10;  // columns of the subspace beyond those that are asked for
constexpr int kIterations = 8;
constexpr double kNothing = 1e-6;  // of the largest eigenvalue
constexpr uint64_t kDraw = uint64_t{0x51} << 40;

}  // namespace

Components::Components(const Eigen::MatrixXf& products, size_t most, uint64_t seed) {
  const Eigen::Index n = products.rows();
  Eigen::MatrixXd exact = products.cast<double>();
  const Eigen::RowVectorXd means = exact.colwise().mean();
  exact.rowwise() -= means;
  exact.colwise() -= means.transpose();
  exact.array() += means.mean();
  const Eigen::MatrixXf kernel = exact.cast<float>();
  exact.resize(0, 0);

  const Eigen::Index columns = std::min(n, static_cast<Eigen::Index>(most) + kMore);
  std::vector<float> normal(static_cast<size_t>(n * columns));
  PhiloxStream(seed, kDraw, 0, Purpose::kQuality).FillNormal(normal);
  Eigen::MatrixXf basis = Eigen::Map<Eigen::MatrixXf>(normal.data(), n, columns);
  const auto orthonormal = [&](const Eigen::MatrixXf& span) -> Eigen::MatrixXf {
    return Eigen::HouseholderQR<Eigen::MatrixXf>(span).householderQ() * Eigen::MatrixXf::Identity(n, columns);
  };
  basis = orthonormal(basis);
  for (int i = 0; i < kIterations; ++i) basis = orthonormal(kernel * basis);
  const Eigen::MatrixXd within = (basis.transpose() * (kernel * basis)).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(0.5 * (within + within.transpose()));

  const Eigen::VectorXd values = solver.eigenvalues().reverse();
  Eigen::Index count = 0;
  while (count < std::min<Eigen::Index>(columns, static_cast<Eigen::Index>(most)) && values[0] > 0 &&
         values[count] > kNothing * values[0]) {
    ++count;
  }
  const Eigen::MatrixXd rotation = solver.eigenvectors().rowwise().reverse().leftCols(count);
  axes_ = basis.cast<double>() * rotation;
  axes_.rowwise() -= axes_.colwise().mean().eval();
  for (Eigen::Index k = 0; k < count; ++k) axes_.col(k) *= std::sqrt(static_cast<double>(n) / values[0] / values[k]);
  intercept_ = -means * axes_;
}

Eigen::MatrixXf Components::Scores(const Eigen::MatrixXf& products) const {
  return ((products.cast<double>() * axes_).rowwise() + intercept_).cast<float>();
}

}  // namespace genoserve
