// Allele frequencies of packed genotypes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Frequencies of the ALT allele among the calls that are there, one a variant: p_j = sum_i g_ij / (2 n_j) for diploid
/// genotypes, the share of ALT for haplotypes. NaN where a variant has no call.
std::vector<double> AlleleFrequencies(const GenotypeMatrix& genotypes);

/// The same among the samples with these indices.
std::vector<double> AlleleFrequencies(const GenotypeMatrix& genotypes, std::span<const size_t> samples);

}  // namespace genoserve
