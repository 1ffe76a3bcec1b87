// Membership inference: scores by which an attacker who has a synthetic cohort guesses whether a row was in its
// training. The higher, the more likely. One score a row (haplotype, or diploid sample); all rows have the same
// variants and packing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/quality/bit_planes.h"

namespace genoserve {

/// For each row of `rows`, the distance, a sum of |x - y|, to the nearest row of `cohort`, which has at least one.
std::vector<uint32_t> ClosestDistances(const BitPlanes& rows, const BitPlanes& cohort);

/// The attack by distance: the nearer the nearest row of the cohort, the more likely. `cohort` holds ClosestDistances.
std::vector<double> DistanceScores(const std::vector<uint32_t>& cohort);

/// DOMIAS (van Breugel et al. 2023): log of the cohort's density at a row over the density there of other
/// people, which the attacker has a reference of. A near row alone is no sign of membership where everybody has near
/// ones. A density is estimated by the distance d to the nearest neighbour (Loftsgaarden and Quesenberry 1965, k = 1;
/// higher k told less on mosaics and copies of haplotypes): log density = constant - D log d. D and the constant move
/// no rank, and 1 is added to distances since copies have none: the score is log(1 + d_reference) - log(1 + d_cohort).
/// Both hold ClosestDistances of the same rows.
std::vector<double> DensityRatioScores(const std::vector<uint32_t>& cohort, const std::vector<uint32_t>& reference);

/// The attack on pooled frequencies (Homer et al. 2008, equation 1): sum over variants of |x - reference frequency| -
/// |x - cohort frequency|, where x is the row's allele, or half its ALT count: positive where the row is nearer to the
/// cohort's frequencies than to those of other people. Frequencies are of ALT, one a variant.
std::vector<double> FrequencyScores(const GenotypeMatrix& rows, const std::vector<double>& cohort,
                                    const std::vector<double>& reference);

}  // namespace genoserve
