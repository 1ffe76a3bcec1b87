// Principal components of a training set, for generators that start from the data.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "trainer/objective/noise.h"

namespace genoserve {

/// Components of standardised codes Z.
struct PrincipalComponents {
  at::Tensor scores;    ///< [rows, components]: Z times the directions, each of mean square 1
  at::Tensor loadings;  ///< [variants, components]; the square sum of a row is the share of its variance
};

/// How many components a generator of this rank starts from: at most one for 16 rows, since with more linkage is spread
/// thin, and at most the variants; at least 1.
int64_t StartingComponents(int64_t rank, int64_t rows, int64_t variants);

/// The first `count` components of the correlations among (code - means[group of the row]) / deviation that are beyond
/// chance; see SureCorrelations. What is left of them is linkage and strong structure; components of the raw codes hold
/// the chance correlations too, which are what single people of the training have in common, and a generator that
/// starts from them gives these people away.
///
/// `means` is [groups, variants], `deviations` [variants]; a variant of deviation 0 has loadings 0. Memory: 1,024 x
/// variants floats, twice CorrelationLimits::most correlations at the most, and (rows + variants) * components floats.
/// `count` must be at most the variants.
PrincipalComponents FindComponents(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups,
                                   const at::Tensor& means, const at::Tensor& deviations, int64_t count,
                                   TrainingNoise& noise);

}  // namespace genoserve
