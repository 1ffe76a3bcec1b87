// Principal components of packed genotypes.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <cstdint>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Directions of the largest variance among rows (ALT counts of diploid samples, alleles of haplotypes), centred but
/// not scaled: a variant counts by its variance, as in scikit-learn's PCA and in the Genome-AC-GAN paper, and not by
/// its inverse as in Patterson, Price and Reich (2006), where rare variants, of which small cohorts know least, weigh
/// most.
struct Pca {
  Eigen::VectorXf means;      ///< one a variant
  Eigen::MatrixXf loadings;   ///< variants x components; columns are orthonormal
  Eigen::VectorXd variances;  ///< of the rows on each component, by n - 1, descending
  double total_variance = 0;  ///< of all variants together

  size_t components() const { return static_cast<size_t>(variances.size()); }
};

/// Up to this many rows or variants, whichever are fewer, components are exact.
inline constexpr size_t kExactPca = 300;

/// Fits the first `components` components, or as many as there are with more than 1e-8 of the first one's variance
/// (none for constant rows). Where rows or variants are at most kExactPca, by the eigenvectors of the smaller Gram
/// matrix; else by randomised subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4, with 20 columns more
/// than components and 7 iterations) in single precision, from normal numbers by Philox with `seed`. Signs are such
/// that the largest score by size of the fitted rows is positive, which is svd_flip of scikit-learn 1.2. Genotypes must
/// not be missing. The result does not depend on the number of threads.
Pca FitPca(const GenotypeMatrix& genotypes, size_t components, uint64_t seed);

/// Scores of rows: rows x components. The variants must be those of the fit.
Eigen::MatrixXd Project(const Pca& pca, const GenotypeMatrix& genotypes);

}  // namespace genoserve
