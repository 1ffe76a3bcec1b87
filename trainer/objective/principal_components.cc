#include "trainer/objective/principal_components.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "trainer/objective/batches.h"

namespace genoserve {
namespace {

constexpr size_t kBlockRows = 256;

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

  // Z' y.
  at::Tensor TransposedTimes(const at::Tensor& y) const {
    at::Tensor sum = at::zeros({static_cast<int64_t>(genotypes_.variants()), y.size(1)}, y.options());
    for (size_t first = 0; first < genotypes_.rows(); first += kBlockRows) {
      const at::Tensor block = Block(first);
      const auto begin = static_cast<int64_t>(first);
      sum.addmm_(block.t(), y.slice(0, begin, begin + block.size(0)));
    }
    return sum;
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
  const int64_t width = std::min({count + 10, rows, variants});
  at::Tensor basis = Orthonormal(z.Times(noise.Normal({variants, width})));
  for (int pass = 0; pass < 3; ++pass) basis = Orthonormal(z.Times(Orthonormal(z.TransposedTimes(basis))));
  const at::Tensor projected = z.TransposedTimes(basis);  // [variants, width]
  const auto [values, vectors] = at::linalg_eigh(at::mm(projected.t(), projected));
  const at::Tensor leading = vectors.flip(1).slice(1, 0, count);
  const double root = std::sqrt(static_cast<double>(rows));
  return {at::mm(basis, leading) * root, at::mm(projected, leading) / root};
}

}  // namespace genoserve
