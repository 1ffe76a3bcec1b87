// The codes of a training set, standardised within groups, as a matrix that is never whole in memory.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// The matrix Z of (code - means[group of the row]) / deviation, a block of rows at a time on the device of the means.
/// A variant of deviation 0 has a column of zeros. Keeps references to the genotypes and groups. Const methods are
/// thread-safe.
class StandardisedCodes {
 public:
  /// `means` is [groups, variants], `deviations` [variants].
  StandardisedCodes(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups, const at::Tensor& means,
                    const at::Tensor& deviations);

  int64_t rows() const { return static_cast<int64_t>(genotypes_.rows()); }
  int64_t variants() const { return static_cast<int64_t>(genotypes_.variants()); }
  const GenotypeMatrix& genotypes() const { return genotypes_; }
  const at::Tensor& means() const { return means_; }
  const at::Tensor& factors() const { return factors_; }  ///< [variants], 1 / deviation or 0
  at::Tensor GroupRows() const;                           ///< [groups]

  /// Z x.
  at::Tensor Times(const at::Tensor& x) const;
  /// Z' Z x / rows: the correlations of all variants times x, without forming them.
  at::Tensor CorrelationsTimes(const at::Tensor& x) const;
  /// Z[:, first:last]' Z / rows: correlations of some variants with all.
  at::Tensor Correlations(int64_t first, int64_t last) const;

 private:
  at::Tensor Block(size_t first) const;

  const GenotypeMatrix& genotypes_;
  const std::vector<int64_t>& groups_;
  at::Tensor means_;
  at::Tensor factors_;
};

}  // namespace genoserve
