#include "core/quality/pca.h"

#include <Eigen/Dense>
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/philox.h"

namespace genoserve {
namespace {

using RowMajorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr size_t kBlockRows = 32;  // decoded at a time
constexpr size_t kChunks = 16;     // whose sums are added in their order, so that threads do not change the result
constexpr size_t kExtraColumns = 20;
constexpr int kIterations = 7;
constexpr double kLeastVariance = 1e-8;            // of the first component's
constexpr uint64_t kNormals = uint64_t{80} << 40;  // "sample" of the Philox streams of this file

// Rows [first, first + count), less the means.
RowMajorMatrix Centred(const GenotypeMatrix& genotypes, size_t first, size_t count, const Eigen::VectorXf& means) {
  RowMajorMatrix block(count, genotypes.variants());
  std::vector<uint8_t> codes(genotypes.variants());
  for (size_t row = 0; row < count; ++row) {
    genotypes.UnpackRow(first + row, codes);
    float* const to = block.data() + row * codes.size();
    for (size_t v = 0; v < codes.size(); ++v) to[v] = static_cast<float>(codes[v]) - means[static_cast<int64_t>(v)];
  }
  return block;
}

// Calls `work(chunk, first, block)` for all blocks of centred rows; those of one chunk in order and on one thread.
template <typename Work>
void ForEachBlock(const GenotypeMatrix& genotypes, const Eigen::VectorXf& means, const Work& work) {
  const size_t blocks = (genotypes.rows() + kBlockRows - 1) / kBlockRows;
  ParallelFor(kChunks, [&](size_t chunk) {
    for (size_t b = chunk * blocks / kChunks; b < (chunk + 1) * blocks / kChunks; ++b) {
      const size_t first = b * kBlockRows;
      work(chunk, first, Centred(genotypes, first, std::min(kBlockRows, genotypes.rows() - first), means));
    }
  });
}

// Means of the variants; returns their summed variance, by n - 1.
double Moments(const GenotypeMatrix& genotypes, Eigen::VectorXf* means) {
  std::vector<uint64_t> sums(genotypes.variants());
  std::vector<uint64_t> squares(genotypes.variants());
  std::vector<uint8_t> codes(genotypes.variants());
  for (size_t row = 0; row < genotypes.rows(); ++row) {
    genotypes.UnpackRow(row, codes);
    for (size_t v = 0; v < codes.size(); ++v) {
      sums[v] += codes[v];
      squares[v] += uint64_t{codes[v]} * codes[v];
    }
  }
  const auto n = static_cast<double>(genotypes.rows());
  means->resize(static_cast<int64_t>(sums.size()));
  double total = 0;
  for (size_t v = 0; v < sums.size(); ++v) {
    const double mean = static_cast<double>(sums[v]) / n;
    (*means)[static_cast<int64_t>(v)] = static_cast<float>(mean);
    total += (static_cast<double>(squares[v]) - mean * static_cast<double>(sums[v])) / (n - 1);
  }
  return total;
}

// X W of the centred rows X.
Eigen::MatrixXf Times(const GenotypeMatrix& genotypes, const Eigen::VectorXf& means, const Eigen::MatrixXf& w) {
  Eigen::MatrixXf product(genotypes.rows(), w.cols());
  ForEachBlock(genotypes, means, [&](size_t, size_t first, const RowMajorMatrix& block) {
    product.middleRows(static_cast<int64_t>(first), block.rows()).noalias() = block * w;
  });
  return product;
}

// X^T X W, in one pass over the rows.
Eigen::MatrixXf TimesGram(const GenotypeMatrix& genotypes, const Eigen::VectorXf& means, const Eigen::MatrixXf& w) {
  std::vector<Eigen::MatrixXf> sums(kChunks, Eigen::MatrixXf::Zero(w.rows(), w.cols()));
  ForEachBlock(genotypes, means, [&](size_t chunk, size_t, const RowMajorMatrix& block) {
    const Eigen::MatrixXf scores = block * w;
    sums[chunk].noalias() += block.transpose() * scores;
  });
  for (size_t chunk = 1; chunk < kChunks; ++chunk) sums[0] += sums[chunk];
  return std::move(sums[0]);
}

Eigen::MatrixXf Orthonormal(const Eigen::MatrixXf& columns) {
  const Eigen::HouseholderQR<Eigen::MatrixXf> qr(columns);
  return qr.householderQ() * Eigen::MatrixXf::Identity(columns.rows(), columns.cols());
}

// A basis that all but contains the first components: orthonormal columns, one a variant long.
Eigen::MatrixXf RandomisedBasis(const GenotypeMatrix& genotypes, const Eigen::VectorXf& means, size_t columns,
                                uint64_t seed) {
  Eigen::MatrixXf basis(genotypes.variants(), columns);
  for (size_t c = 0; c < columns; ++c) {
    PhiloxStream(seed, kNormals + c, 0, Purpose::kQuality)
        .FillNormal({basis.col(static_cast<int64_t>(c)).data(), genotypes.variants()});
  }
  for (int i = 0; i <= kIterations; ++i) basis = Orthonormal(TimesGram(genotypes, means, basis));
  return basis;
}

// Eigenvalues of a symmetric matrix, descending, and their vectors.
std::pair<Eigen::VectorXd, Eigen::MatrixXd> EigenDescending(const Eigen::MatrixXd& symmetric) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(symmetric);
  return {solver.eigenvalues().reverse(), solver.eigenvectors().rowwise().reverse()};
}

// Columns of `directions`, made orthonormal by the roots of the eigenvalues, as loadings.
void Keep(const Eigen::VectorXd& eigenvalues, const Eigen::MatrixXd& directions, size_t most, double rows, Pca* pca) {
  const auto limit = std::min<int64_t>({static_cast<int64_t>(most), eigenvalues.size(), directions.cols()});
  int64_t kept = 0;
  while (kept < limit && eigenvalues[kept] > kLeastVariance * eigenvalues[0]) ++kept;
  pca->variances = eigenvalues.head(kept) / (rows - 1);
  pca->loadings = directions.leftCols(kept).cast<float>();
}

void FitExactly(const GenotypeMatrix& genotypes, size_t components, Pca* pca) {
  Eigen::MatrixXd x(genotypes.rows(), genotypes.variants());
  std::vector<uint8_t> codes(genotypes.variants());
  for (size_t row = 0; row < genotypes.rows(); ++row) {
    genotypes.UnpackRow(row, codes);
    for (size_t v = 0; v < codes.size(); ++v) x(static_cast<int64_t>(row), static_cast<int64_t>(v)) = codes[v];
  }
  x.rowwise() -= x.colwise().mean().eval();
  const auto rows = static_cast<double>(genotypes.rows());
  if (x.rows() < x.cols()) {
    const auto [values, vectors] = EigenDescending(x * x.transpose());
    const auto columns = std::min<int64_t>(static_cast<int64_t>(components), vectors.cols());
    Eigen::MatrixXd directions = x.transpose() * vectors.leftCols(columns);
    directions.colwise().normalize();
    Keep(values, directions, components, rows, pca);
  } else {
    const auto [values, vectors] = EigenDescending(x.transpose() * x);
    Keep(values, vectors, components, rows, pca);
  }
}

}  // namespace

Pca FitPca(const GenotypeMatrix& genotypes, size_t components, uint64_t seed) {
  Pca pca;
  pca.total_variance = Moments(genotypes, &pca.means);
  pca.loadings.resize(static_cast<int64_t>(genotypes.variants()), 0);
  if (genotypes.rows() < 2 || pca.total_variance <= 0) return pca;
  if (std::min(genotypes.rows(), genotypes.variants()) <= kExactPca) {
    FitExactly(genotypes, components, &pca);
  } else {
    const size_t columns = std::min({components + kExtraColumns, genotypes.rows(), genotypes.variants()});
    const Eigen::MatrixXf basis = RandomisedBasis(genotypes, pca.means, columns, seed);
    const Eigen::MatrixXd scores = Times(genotypes, pca.means, basis).cast<double>();
    const auto [values, rotation] = EigenDescending(scores.transpose() * scores);
    Keep(values, basis.cast<double>() * rotation, components, static_cast<double>(genotypes.rows()), &pca);
  }
  const Eigen::MatrixXd scores = Project(pca, genotypes);
  for (int64_t k = 0; k < scores.cols(); ++k) {
    int64_t largest = 0;
    scores.col(k).cwiseAbs().maxCoeff(&largest);
    if (scores(largest, k) < 0) pca.loadings.col(k) *= -1;
  }
  return pca;
}

Eigen::MatrixXd Project(const Pca& pca, const GenotypeMatrix& genotypes) {
  return Times(genotypes, pca.means, pca.loadings).cast<double>();
}

}  // namespace genoserve
