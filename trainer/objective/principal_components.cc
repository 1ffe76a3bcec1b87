#include "trainer/objective/principal_components.h"

#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "trainer/objective/batches.h"

namespace genoserve {
namespace {

constexpr size_t kBlockRows = 256;
constexpr int64_t kBlockVariants = 1024;
constexpr int kPasses = 12;          // of the subspace iteration
constexpr double kSureErrors = 4.0;  // standard errors of a correlation: 6 of 100,000 chance ones are larger

// The matrix Z, a block of rows at a time.
class Standardised {
 public:
  Standardised(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups, const at::Tensor& means,
               const at::Tensor& deviations)
      : genotypes_(genotypes), groups_(groups), means_(means) {
    factors_ = at::where(at::gt(deviations, 0), at::reciprocal(deviations), at::zeros_like(deviations));
  }

  // Z x.
  at::Tensor Times(const at::Tensor& x) const {
    std::vector<at::Tensor> parts;
    for (size_t first = 0; first < genotypes_.rows(); first += kBlockRows) parts.push_back(at::mm(Block(first), x));
    return at::cat(parts, 0);
  }

  // Z[:, first:last]' Z / rows: correlations of some variants with all.
  at::Tensor Correlations(int64_t first, int64_t last) const {
    at::Tensor sum = at::zeros({last - first, static_cast<int64_t>(genotypes_.variants())}, means_.options());
    for (size_t row = 0; row < genotypes_.rows(); row += kBlockRows) {
      const at::Tensor block = Block(row);
      sum.addmm_(block.slice(1, first, last).t(), block);
    }
    return sum.div_(static_cast<double>(genotypes_.rows()));
  }

 private:
  at::Tensor Block(size_t first) const {
    std::vector<size_t> rows;
    std::vector<int64_t> groups;
    for (size_t row = first; row < std::min(first + kBlockRows, genotypes_.rows()); ++row) {
      rows.push_back(row);
      groups.push_back(groups_[row]);
    }
    at::Tensor block = DecodeRows(genotypes_, rows, means_.device());
    return block.sub_(means_.index_select(0, IndexTensor(groups, means_.device()))).mul_(factors_);
  }

  const GenotypeMatrix& genotypes_;
  const std::vector<int64_t>& groups_;
  at::Tensor means_;
  at::Tensor factors_;
};

at::Tensor Orthonormal(const at::Tensor& matrix) { return std::get<0>(at::linalg_qr(matrix)); }

// Keeps LibTorch's word that its sparse matrices are in beta from the user.
class Silent : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override {}
};

// The correlations that are beyond chance, as a sparse matrix.
at::Tensor SureCorrelations(const Standardised& z, int64_t rows, int64_t variants) {
  Silent silent;
  const c10::WarningUtils::WarningHandlerGuard guard(&silent);
  const double least = kSureErrors / std::sqrt(static_cast<double>(rows));
  std::vector<at::Tensor> indices;
  std::vector<at::Tensor> values;
  for (int64_t first = 0; first < variants; first += kBlockVariants) {
    const at::Tensor block = z.Correlations(first, std::min(first + kBlockVariants, variants));
    const at::Tensor sure = at::nonzero(at::ge(at::abs(block), least)).t().contiguous();
    values.push_back(block.index({sure[0], sure[1]}));
    sure[0].add_(first);
    indices.push_back(sure);
  }
  return at::sparse_coo_tensor(at::cat(indices, 1), at::cat(values), {variants, variants}).coalesce().to_sparse_csr();
}

}  // namespace

int64_t StartingComponents(int64_t rank, int64_t rows, int64_t variants) {
  constexpr int64_t kRowsPerComponent = 16;
  return std::max<int64_t>(1, std::min({rank, rows / kRowsPerComponent, variants}));
}

PrincipalComponents FindComponents(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups,
                                   const at::Tensor& means, const at::Tensor& deviations, int64_t count,
                                   TrainingNoise& noise) {
  const c10::NoGradGuard no_grad;
  const Standardised z(genotypes, groups, means, deviations);
  const auto rows = static_cast<int64_t>(genotypes.rows());
  const auto variants = static_cast<int64_t>(genotypes.variants());
  const at::Tensor correlations = SureCorrelations(z, rows, variants);
  at::Tensor basis = Orthonormal(noise.Normal({variants, std::min(count + 10, variants)}));
  for (int pass = 0; pass < kPasses; ++pass) basis = Orthonormal(at::mm(correlations, basis));
  const auto [values, vectors] = at::linalg_eigh(at::mm(basis.t(), at::mm(correlations, basis)));
  const at::Tensor directions = at::mm(basis, vectors.flip(1).slice(1, 0, count));
  const at::Tensor variances = values.flip(0).slice(0, 0, count).clamp_min(0);
  at::Tensor scores = z.Times(directions);
  scores = scores / at::sqrt(at::mean(scores * scores, 0)).clamp_min(1e-6);
  return {scores, directions * at::sqrt(variances)};
}

}  // namespace genoserve
