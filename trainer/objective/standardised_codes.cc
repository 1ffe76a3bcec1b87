#include "trainer/objective/standardised_codes.h"

#include <algorithm>

#include "trainer/objective/batches.h"
#include "trainer/objective/noise.h"

namespace genoserve {
namespace {

constexpr size_t kBlockRows = 256;

}  // namespace

StandardisedCodes::StandardisedCodes(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups,
                                     const at::Tensor& means, const at::Tensor& deviations)
    : genotypes_(genotypes),
      groups_(groups),
      means_(means),
      factors_(at::where(at::gt(deviations, 0), at::reciprocal(deviations), at::zeros_like(deviations))) {}

at::Tensor StandardisedCodes::GroupRows() const {
  return at::bincount(IndexTensor(groups_, means_.device()), {}, means_.size(0)).to(means_.options());
}

at::Tensor StandardisedCodes::Times(const at::Tensor& x) const {
  std::vector<at::Tensor> parts;
  for (size_t first = 0; first < genotypes_.rows(); first += kBlockRows) parts.push_back(at::mm(Block(first), x));
  return at::cat(parts, 0);
}

at::Tensor StandardisedCodes::CorrelationsTimes(const at::Tensor& x) const {
  at::Tensor sum = at::zeros_like(x);
  for (size_t first = 0; first < genotypes_.rows(); first += kBlockRows) {
    const at::Tensor block = Block(first);
    sum.addmm_(block.t(), at::mm(block, x));
  }
  return sum.div_(static_cast<double>(genotypes_.rows()));
}

at::Tensor StandardisedCodes::Correlations(int64_t first, int64_t last) const {
  at::Tensor sum = at::zeros({last - first, variants()}, means_.options());
  for (size_t row = 0; row < genotypes_.rows(); row += kBlockRows) {
    const at::Tensor block = Block(row);
    sum.addmm_(block.slice(1, first, last).t(), block);
  }
  return sum.div_(static_cast<double>(genotypes_.rows()));
}

at::Tensor StandardisedCodes::Block(size_t first) const {
  std::vector<size_t> rows;
  std::vector<int64_t> groups;
  for (size_t row = first; row < std::min(first + kBlockRows, genotypes_.rows()); ++row) {
    rows.push_back(row);
    groups.push_back(groups_[row]);
  }
  at::Tensor block = DecodeRows(genotypes_, rows, means_.device());
  return block.sub_(means_.index_select(0, IndexTensor(groups, means_.device()))).mul_(factors_);
}

}  // namespace genoserve
