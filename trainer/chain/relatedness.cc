#include "trainer/chain/relatedness.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/philox.h"

namespace genoserve {
namespace {

constexpr Eigen::Index kComponents = 20;
constexpr int kRounds = 50;

// The sum of each code's standardised square has to be finite: variants that do not vary have scale 0.
void Standardise(const GenotypeMatrix& genotypes, Relatedness& relatedness) {
  const auto rows = static_cast<Eigen::Index>(relatedness.samples.size());
  const auto variants = static_cast<Eigen::Index>(genotypes.variants());
  relatedness.standardised.resize(rows, variants);
  std::vector<uint8_t> codes(genotypes.variants());
  for (Eigen::Index row = 0; row < rows; ++row) {
    genotypes.UnpackRow(relatedness.samples[static_cast<size_t>(row)], codes);
    for (Eigen::Index v = 0; v < variants; ++v) {
      relatedness.standardised(row, v) = static_cast<float>(codes[static_cast<size_t>(v)]);
    }
  }
  relatedness.means = relatedness.standardised.colwise().mean();
  relatedness.standardised.rowwise() -= relatedness.means.transpose();
  const Eigen::VectorXf deviations =
      (relatedness.standardised.colwise().squaredNorm() / static_cast<float>(rows)).cwiseSqrt();
  relatedness.scales = deviations.unaryExpr([](float d) { return d > 1e-4F ? 1 / d : 0.0F; });
  relatedness.standardised *= relatedness.scales.asDiagonal();
}

// [sample][component], scaled by the root of the eigenvalue.
Eigen::MatrixXd Components(const Eigen::MatrixXd& relationship) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(relationship);
  const Eigen::Index count = std::min(kComponents, relationship.rows());
  return solver.eigenvectors().rightCols(count) * solver.eigenvalues().tail(count).cwiseMax(0).cwiseSqrt().asDiagonal();
}

// Centres far from one another: each next one is drawn by its squared distance from those before.
Eigen::MatrixXd FirstCentres(const Eigen::MatrixXd& points, Eigen::Index count, uint64_t seed) {
  const PhiloxStream numbers(seed, 0, 0, Purpose::kTraining);
  Eigen::MatrixXd centres(count, points.cols());
  Eigen::VectorXd nearest = Eigen::VectorXd::Constant(points.rows(), std::numeric_limits<double>::infinity());
  Eigen::Index chosen = static_cast<Eigen::Index>(ToUniform(numbers.Bits(0)) * static_cast<double>(points.rows()));
  for (Eigen::Index c = 0; c < count; ++c) {
    centres.row(c) = points.row(chosen);
    nearest = nearest.cwiseMin((points.rowwise() - centres.row(c)).rowwise().squaredNorm());
    double left = ToUniform(numbers.Bits(static_cast<uint32_t>(c + 1))) * nearest.sum();
    for (chosen = 0; chosen + 1 < points.rows() && left >= nearest[chosen]; ++chosen) left -= nearest[chosen];
  }
  return centres;
}

// The nearest centre of each point.
std::vector<int> Assign(const Eigen::MatrixXd& points, const Eigen::MatrixXd& centres) {
  std::vector<int> nearest(static_cast<size_t>(points.rows()));
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    Eigen::Index best = 0;
    (centres.rowwise() - points.row(i)).rowwise().squaredNorm().minCoeff(&best);
    nearest[static_cast<size_t>(i)] = static_cast<int>(best);
  }
  return nearest;
}

Eigen::MatrixXd CentresOf(const Eigen::MatrixXd& points, const std::vector<int>& classes, Eigen::MatrixXd centres) {
  for (Eigen::Index c = 0; c < centres.rows(); ++c) {
    Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(points.cols());
    double count = 0;
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      if (classes[static_cast<size_t>(i)] != c) continue;
      sum += points.row(i);
      ++count;
    }
    if (count > 0) centres.row(c) = sum / count;
  }
  return centres;
}

}  // namespace

Relatedness Relate(const GenotypeMatrix& genotypes) {
  Relatedness relatedness;
  const size_t rows = genotypes.rows();
  const size_t count = std::min(rows, kMostRelatedSamples);
  relatedness.samples.reserve(count);
  for (size_t i = 0; i < count; ++i) relatedness.samples.push_back(i * rows / count);
  Standardise(genotypes, relatedness);
  relatedness.relationship = (relatedness.standardised * relatedness.standardised.transpose()).cast<double>() /
                             static_cast<double>(genotypes.variants());
  return relatedness;
}

std::vector<int> FindClasses(const Relatedness& relatedness, size_t classes, size_t least, uint64_t seed) {
  const Eigen::MatrixXd points = Components(relatedness.relationship);
  Eigen::MatrixXd centres = FirstCentres(points, std::min(static_cast<Eigen::Index>(classes), points.rows()), seed);
  std::vector<int> found = Assign(points, centres);
  for (int round = 0; round < kRounds; ++round) {
    centres = CentresOf(points, found, std::move(centres));
    std::vector<int> next = Assign(points, centres);
    if (next == found) break;
    found = std::move(next);
  }
  // The smallest class is dissolved until none is too small.
  while (centres.rows() > 1) {
    std::vector<size_t> sizes(static_cast<size_t>(centres.rows()));
    for (const int c : found) ++sizes[static_cast<size_t>(c)];
    const auto smallest = std::min_element(sizes.begin(), sizes.end());
    if (*smallest >= least) break;
    const auto gone = static_cast<Eigen::Index>(smallest - sizes.begin());
    const Eigen::Index last = centres.rows() - 1;
    centres.row(gone) = Eigen::RowVectorXd(centres.row(last));
    centres.conservativeResize(last, Eigen::NoChange);
    found = Assign(points, centres);
  }
  return found;
}

}  // namespace genoserve
