#include "trainer/chain/phenotype_effects.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace genoserve {
namespace {

constexpr Eigen::Index kFolds = 5;
constexpr std::array<double, 5> kRidges = {0.2, 0.5, 1.0, 2.0, 5.0};

double Correlation(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  const Eigen::VectorXd x = a.array() - a.mean();
  const Eigen::VectorXd y = b.array() - b.mean();
  const double scale = x.norm() * y.norm();
  return scale > 0 ? x.dot(y) / scale : 0;
}

// The prediction of each sample from those of the other folds, [samples, inputs]. Fold i has the samples i, i + 5, ...
Eigen::MatrixXd CrossPredict(const Eigen::MatrixXd& relationship, const Eigen::MatrixXd& inputs, double ridge) {
  Eigen::MatrixXd predicted = Eigen::MatrixXd::Zero(inputs.rows(), inputs.cols());
  for (Eigen::Index fold = 0; fold < std::min(kFolds, inputs.rows()); ++fold) {
    std::vector<Eigen::Index> inside;
    std::vector<Eigen::Index> outside;
    for (Eigen::Index i = 0; i < inputs.rows(); ++i) (i % kFolds == fold ? inside : outside).push_back(i);
    if (outside.empty()) continue;  // of one sample nothing is told
    Eigen::MatrixXd system = relationship(outside, outside);
    system.diagonal().array() += ridge;
    const Eigen::MatrixXd known = inputs(outside, Eigen::all);
    const Eigen::RowVectorXd means = known.colwise().mean();
    const Eigen::MatrixXd duals = system.llt().solve(known.rowwise() - means);
    const Eigen::MatrixXd some = (relationship(inside, outside) * duals).rowwise() + means;
    for (size_t i = 0; i < inside.size(); ++i) predicted.row(inside[i]) = some.row(static_cast<Eigen::Index>(i));
  }
  return predicted;
}

}  // namespace

PhenotypeEffects FitPhenotypes(const Relatedness& relatedness, const Eigen::MatrixXd& inputs) {
  const Eigen::Index count = inputs.cols();
  const Eigen::Index variants = relatedness.standardised.cols();
  const Eigen::RowVectorXd means = inputs.colwise().mean();
  std::vector<double> accuracy(static_cast<size_t>(count), -1.0);
  std::vector<double> ridges(static_cast<size_t>(count), kRidges.back());
  Eigen::MatrixXd predicted = Eigen::MatrixXd::Zero(inputs.rows(), count);
  for (const double ridge : kRidges) {
    const Eigen::MatrixXd tried = CrossPredict(relatedness.relationship, inputs, ridge);
    for (Eigen::Index p = 0; p < count; ++p) {
      const double r = Correlation(tried.col(p), inputs.col(p));
      if (r <= accuracy[static_cast<size_t>(p)]) continue;
      accuracy[static_cast<size_t>(p)] = r;
      ridges[static_cast<size_t>(p)] = ridge;
      predicted.col(p) = tried.col(p);
    }
  }
  PhenotypeEffects fitted;
  fitted.effects = Eigen::MatrixXf::Zero(count, variants);
  fitted.offsets = Eigen::VectorXf::Zero(count);
  fitted.means = means;
  fitted.deviations = Eigen::VectorXd::Zero(count);
  Eigen::MatrixXd left = inputs.rowwise() - means;
  for (const double ridge : kRidges) {
    Eigen::MatrixXd system = relatedness.relationship;
    system.diagonal().array() += ridge;
    const Eigen::LLT<Eigen::MatrixXd> solver(system);
    for (Eigen::Index p = 0; p < count; ++p) {
      const auto place = static_cast<size_t>(p);
      if (ridges[place] != ridge) continue;
      accuracy[place] = std::max(0.0, accuracy[place]);
      const Eigen::VectorXd around = predicted.col(p).array() - predicted.col(p).mean();
      const Eigen::VectorXd y = inputs.col(p).array() - means[p];
      const double spread = around.norm();
      const double scale = spread > 0 ? accuracy[place] * y.norm() / spread : 0;
      fitted.deviations[p] = accuracy[place] * y.norm() / std::sqrt(static_cast<double>(y.size()));
      left.col(p) -= scale * around;
      const Eigen::VectorXd dual = solver.solve(y) * (scale / static_cast<double>(variants));
      const Eigen::VectorXf effects =
          (relatedness.standardised.transpose() * dual.cast<float>()).cwiseProduct(relatedness.scales);
      fitted.effects.row(p) = effects.transpose();
      fitted.offsets[p] = static_cast<float>(means[p] - effects.cast<double>().dot(relatedness.means.cast<double>()));
    }
  }
  fitted.residual_precision = PrecisionOf(left);
  return fitted;
}

void ScaleTo(const Eigen::MatrixXd& predictions, PhenotypeEffects& fitted) {
  for (Eigen::Index p = 0; p < predictions.cols(); ++p) {
    const Eigen::VectorXd around = predictions.col(p).array() - predictions.col(p).mean();
    const double deviation = around.norm() / std::sqrt(static_cast<double>(around.size()));
    if (deviation <= 0) continue;
    const double factor = fitted.deviations[p] / deviation;
    fitted.effects.row(p) *= static_cast<float>(factor);
    // The mean row keeps the mean prediction.
    const double mean = fitted.means[p];
    fitted.offsets[p] = static_cast<float>(mean + factor * (static_cast<double>(fitted.offsets[p]) - mean));
  }
}

Eigen::MatrixXf PrecisionOf(const Eigen::MatrixXd& deviations) {
  Eigen::MatrixXd covariance =
      deviations.transpose() * deviations / static_cast<double>(std::max<Eigen::Index>(1, deviations.rows()));
  covariance.diagonal().array() += std::max(1e-6, 0.01 * covariance.diagonal().mean());
  return covariance.inverse().cast<float>();
}

}  // namespace genoserve
