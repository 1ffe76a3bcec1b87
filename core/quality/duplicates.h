// Rows, and windows of rows, that are the same: copies of training rows, and a generator that repeats itself. Real
// haplotypes repeat too where variants are few, so that only the excess over unseen rows tells of copying.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// For each row, 1 where a row of `among` has all its genotypes, else 0. Same variants and packing.
std::vector<double> FoundAmong(const GenotypeMatrix& rows, const GenotypeMatrix& among);

/// For each row, 1 where a row of another sample has all its genotypes, else 0.
std::vector<double> Repeated(const GenotypeMatrix& rows);

/// Variants of a window: 40 where there are fewer than 2,000 in all, else 200.
size_t WindowWidth(size_t variants);

/// Windows of a row: one after another from the first variant on, without a last one that is shorter; one window of all
/// variants where these are fewer than WindowWidth().
size_t WindowCount(size_t variants);

/// For each row, the share of its windows that a row of `among` has, with the same genotypes in the same place. Windows
/// do not heed where contigs end. Same variants (at least one) and packing.
std::vector<double> WindowsFoundAmong(const GenotypeMatrix& rows, const GenotypeMatrix& among);

}  // namespace genoserve
