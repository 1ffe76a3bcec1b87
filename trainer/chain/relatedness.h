// How alike the training samples are over the whole genome: what classes and phenotype effects are found from.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Samples that relationships are found among at most; more are taken at even spaces.
inline constexpr size_t kMostRelatedSamples = 3000;

/// Standardised codes of some samples, and their relationship matrix (VanRaden 2008, method 2).
struct Relatedness {
  std::vector<size_t> samples;   ///< rows of the genotypes, ascending
  Eigen::VectorXf means;         ///< [variants], of the codes
  Eigen::VectorXf scales;        ///< [variants], 1 / standard deviation; 0 where a code does not vary
  Eigen::MatrixXf standardised;  ///< [samples, variants]
  Eigen::MatrixXd relationship;  ///< [samples, samples], standardised times its transpose by the number of variants
};

/// Relates diploid samples. Memory: 4 bytes a sample and variant.
Relatedness Relate(const GenotypeMatrix& genotypes);

/// A class for each of the related samples, 0 to the number of classes - 1, by k-means (Lloyd 1982, begun as by Arthur
/// and Vassilvitskii 2007 with `seed`) on the leading principal components; every class has at least `least` samples,
/// or there is one class. `classes` is how many are asked for.
std::vector<int> FindClasses(const Relatedness& relatedness, size_t classes, size_t least, uint64_t seed);

}  // namespace genoserve
