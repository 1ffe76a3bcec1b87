#include "trainer/chain/borrowing.h"

#include <Eigen/Dense>
#include <algorithm>

namespace genoserve {
namespace {

constexpr double kLeastWeight = 0.02;

// Sampling variance of a class's observed frequencies, mean over variants.
double SamplingVariance(const ClassFrequencies& one) {
  const double alleles = one.rows * one.most;
  double sum = 0;
  for (const double q : one.alleles) sum += q * (1 - q);
  return alleles > 1 ? sum / static_cast<double>(one.alleles.size()) / (alleles - 1) : 0.25;
}

// The a of one class: least of a'Ma with sum a = 1 and a >= 0, by leaving out what would be negative.
Eigen::VectorXd BestMean(const Eigen::MatrixXd& moments) {
  const Eigen::Index classes = moments.rows();
  std::vector<Eigen::Index> kept(static_cast<size_t>(classes));
  for (Eigen::Index i = 0; i < classes; ++i) kept[static_cast<size_t>(i)] = i;
  for (;;) {
    const Eigen::MatrixXd some = moments(kept, kept);
    const auto size = static_cast<Eigen::Index>(kept.size());
    const Eigen::VectorXd solved =
        some.ldlt().solve(Eigen::VectorXd::Ones(size));  // a'Ma is least where Ma is the same everywhere
    const Eigen::VectorXd a = solved / solved.sum();
    Eigen::Index worst = 0;
    if (a.minCoeff(&worst) >= 0 || size == 1) {
      Eigen::VectorXd all = Eigen::VectorXd::Zero(classes);
      for (Eigen::Index i = 0; i < size; ++i) all[kept[static_cast<size_t>(i)]] = a[i];
      return all;
    }
    kept.erase(kept.begin() + worst);
  }
}

}  // namespace

std::vector<std::vector<double>> BorrowingWeights(const std::vector<ClassFrequencies>& classes) {
  const auto count = static_cast<Eigen::Index>(classes.size());
  const size_t variants = classes.front().alleles.size();
  std::vector<double> variance;
  variance.reserve(classes.size());
  for (const ClassFrequencies& one : classes) variance.push_back(SamplingVariance(one));
  Eigen::MatrixXd f2 = Eigen::MatrixXd::Zero(count, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      const std::vector<double>& a = classes[static_cast<size_t>(i)].alleles;
      const std::vector<double>& b = classes[static_cast<size_t>(j)].alleles;
      double sum = 0;
      for (size_t v = 0; v < variants; ++v) sum += (a[v] - b[v]) * (a[v] - b[v]);
      const double noise = variance[static_cast<size_t>(i)] + variance[static_cast<size_t>(j)];
      f2(i, j) = f2(j, i) = std::max(0.0, sum / static_cast<double>(variants) - noise);
    }
  }
  std::vector<std::vector<double>> weights(classes.size(), std::vector<double>(classes.size(), 0.0));
  for (Eigen::Index l = 0; l < count; ++l) {
    Eigen::MatrixXd moments(count, count);
    for (Eigen::Index i = 0; i < count; ++i) {
      for (Eigen::Index j = 0; j < count; ++j) moments(i, j) = (f2(i, l) + f2(j, l) - f2(i, j)) / 2;
      moments(i, i) += variance[static_cast<size_t>(i)] + 1e-12;
    }
    const Eigen::VectorXd a = BestMean(moments);
    const auto own = static_cast<size_t>(l);
    for (size_t i = 0; i < classes.size(); ++i) {
      const double per_row = a[static_cast<Eigen::Index>(i)] / classes[i].rows;
      const double own_per_row = a[l] / classes[own].rows;
      double weight = 1;
      if (i != own && per_row <= own_per_row) weight = per_row > 0 ? per_row / own_per_row : 0;
      weights[own][i] = weight < kLeastWeight ? 0 : weight;
    }
  }
  return weights;
}

}  // namespace genoserve
