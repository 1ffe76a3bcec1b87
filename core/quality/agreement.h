// How well two vectors of numbers agree, such as allele frequencies of real and of synthetic samples.
#pragma once

#include <cstddef>
#include <span>

namespace genoserve {

/// Agreement of paired numbers. Pairs in which one is NaN are left out.
struct Agreement {
  size_t pairs = 0;           ///< pairs compared
  double pearson = 0;         ///< correlation, -1 to 1; NaN where one side does not vary or there are under 2 pairs
  double rmse = 0;            ///< root of the mean squared difference; NaN without pairs
  double max_difference = 0;  ///< largest absolute difference; NaN without pairs
};

/// Compares two vectors of equal size: r = sum (x - mean x)(y - mean y) / sqrt(sum (x - mean x)^2 sum (y - mean y)^2)
/// (Pearson 1895), in two passes.
Agreement Compare(std::span<const double> x, std::span<const double> y);

}  // namespace genoserve
