// Linkage disequilibrium between neighbouring variants.
#pragma once

#include <cstddef>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"

namespace genoserve {

/// r^2 of each variant and the next one: variants - 1 values, NaN where the two are on different contigs or one of
/// them does not vary among the calls that both have.
///
/// Haplotypes: (p_AB - p_A p_B)^2 / (p_A (1 - p_A) p_B (1 - p_B)) (Hill and Robertson 1968). Diploid genotypes:
/// cov(x, y)^2 / (var x var y) of the ALT counts (Rogers and Huff 2009). On 0 and 1 the second is the first.
std::vector<double> NeighbourR2(const GenotypeMatrix& genotypes, const VariantTable& variants);

/// Mean r^2 of neighbouring variants, real and synthetic, over the same pairs.
struct NeighbourLinkage {
  double real = 0;       ///< NaN without pairs
  double synthetic = 0;  ///< NaN without pairs
  size_t pairs = 0;      ///< pairs in the means
  size_t dropped = 0;    ///< pairs on one contig in which a variant does not vary in one of the sets
};

/// Compares two sets of the same variants and the same packing.
NeighbourLinkage CompareNeighbourLinkage(const GenotypeMatrix& real, const GenotypeMatrix& synthetic,
                                         const VariantTable& variants);

}  // namespace genoserve
