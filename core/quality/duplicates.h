// Rows that are the same: copies of training rows, and a generator that repeats itself.
#pragma once

#include <cstddef>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Synthetic rows (samples, or haplotypes) that are no new ones. Real haplotypes may repeat too, so their
/// share is the one to compare with.
struct Duplicates {
  size_t rows = 0;              ///< synthetic rows
  size_t found_in_real = 0;     ///< of them, those with all genotypes equal to those of a real row
  size_t repeated = 0;          ///< of them, those equal to another synthetic row
  size_t real_rows = 0;         ///< real rows
  size_t repeated_in_real = 0;  ///< of them, those equal to another real row
};

/// Counts identical rows. Both sets have the same variants and the same packing.
Duplicates CountDuplicates(const GenotypeMatrix& real, const GenotypeMatrix& synthetic);

}  // namespace genoserve
