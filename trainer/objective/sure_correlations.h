// Correlations among variants that are beyond chance: linkage and population structure.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "trainer/objective/noise.h"
#include "trainer/objective/standardised_codes.h"

namespace genoserve {

/// What is small enough to be taken whole, and what the rest may take.
struct CorrelationLimits {
  /// With more variants than this, correlations are counted (CountedCorrelations) and those kept are bounded.
  int64_t small_variants = 10'000;
  /// Correlations that are kept of a larger panel, 16 bytes each at the most while they are gathered. No small panel
  /// has more.
  int64_t most = 100'000'000;
};

/// A symmetric matrix: correlations within 4 standard errors (1 / sqrt(rows)) of 0 are 0.
///
/// Where populations differ, much of all pairs of variants is beyond that. If so many are in a sample of a large panel
/// that more than `most` would be kept, the structure is parted from the linkage first: up to 16 components of all
/// correlations, those above what chance gives (Marchenko and Pastur 1967: (1 + sqrt(variants / rows))^2), are kept as
/// they are, and the threshold is that of the rest. Whatever still exceeds `most` is cut by raising the threshold for
/// all.
class SureCorrelations {
 public:
  SureCorrelations(const StandardisedCodes& z, const CorrelationLimits& limits, TrainingNoise& noise);

  /// This matrix times x, [variants, columns].
  at::Tensor Times(const at::Tensor& x) const;
  /// Correlations kept, without structure.
  int64_t kept() const { return sparse_._nnz(); }
  /// Components of structure kept besides.
  int64_t components() const { return strengths_.defined() ? strengths_.size(0) : 0; }

 private:
  // Keeps the structure; see above.
  void PartStructure(const StandardisedCodes& z, TrainingNoise& noise);

  at::Tensor sparse_;     // CSR
  at::Tensor structure_;  // [variants, components], orthonormal
  at::Tensor strengths_;  // [components]
};

/// Eigenvectors of the largest eigenvalues of a symmetric matrix.
struct LeadingVectors {
  at::Tensor vectors;  ///< [variants, count], orthonormal
  at::Tensor values;   ///< [count], descending
};

/// Those of the matrix that `times` multiplies by, [variants, variants]. By subspace iteration from random vectors
/// (Halko, Martinsson and Tropp 2011, algorithm 4.4, with more passes in the place of the small problem's size).
LeadingVectors FindLeading(absl::FunctionRef<at::Tensor(const at::Tensor&)> times, int64_t variants, int64_t count,
                           TrainingNoise& noise);

}  // namespace genoserve
