// Principal components of a training set, for generators that start from the data.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "trainer/objective/noise.h"

namespace genoserve {

/// Components of standardised codes Z: Z is about scores * loadings', scores have mean square 1.
struct PrincipalComponents {
  at::Tensor scores;    ///< [rows, components]
  at::Tensor loadings;  ///< [variants, components]; the square sum of a row is the share of its variance
};

/// How many components a generator of this rank starts from: at most one for 16 rows, since with more the
/// components remember single people (privacy.loss of the example panel fell from 0.08 to 0.04 against one for 4 rows, and
/// more strong linkage was kept), and at most the variants; at least 1.
int64_t StartingComponents(int64_t rank, int64_t rows, int64_t variants);

/// The first `count` components of (code - means[group of the row]) / deviation, by the randomised subspace iteration
/// of Halko, Martinsson and Tropp 2011 (algorithms 4.4 and 5.1, three passes, ten components more than asked for).
/// `means` is [groups, variants], `deviations` [variants]; a variant of deviation 0 has loadings 0. Memory: a block of
/// rows and (rows + variants) * components floats. `count` must be at most min(rows, variants).
PrincipalComponents FindComponents(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups,
                                   const at::Tensor& means, const at::Tensor& deviations, int64_t count,
                                   TrainingNoise& noise);

}  // namespace genoserve
