// What a generator that starts from the data needs to know of a training set, besides its components.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Statistics of the codes of all rows, by groups of rows.
struct DataStatistics {
  at::Tensor means;           ///< [groups, variants]
  at::Tensor state_counts;    ///< [groups, states, variants] of codes 0 and 1, or 0, 1 and 2
  at::Tensor group_rows;      ///< [groups]
  at::Tensor deviations;      ///< [variants], standard deviation within groups
  double neighbour_r2 = 0.0;  ///< mean over neighbouring variants of r^2 within groups, less 1 / rows, at least 0
};

/// Two passes over the rows. `groups` has one index a row, below `group_count`. Memory does not grow with the rows.
DataStatistics DescribeData(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups, int64_t group_count,
                            at::Device device);

/// Frequencies of the states [groups, states, variants], kept inside (0, 1) as if a quarter of a row of each state had
/// been seen besides.
at::Tensor StateFrequencies(const DataStatistics& statistics);

}  // namespace genoserve
