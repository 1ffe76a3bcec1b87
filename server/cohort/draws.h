// How proportions, frequencies and quantiles become counts and values. Pure functions of their arguments, with the
// same result on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// Quantiles of a continuous phenotype in a manifest: the 0.5 %, 1 %, 2 %, ..., 99 % and 99.5 % ones.
inline constexpr size_t kQuantiles = 101;

/// Counts that sum to `size` and are closest to `proportions` by the method of largest remainders (Hamilton): each gets
/// the whole part of its share, and what is left goes to the largest remainders, the first given winning a tie.
/// Proportions are above 0 with a finite sum; size is at least 0.
std::vector<int64_t> LargestRemainder(int64_t size, std::span<const double> proportions);

/// Sums of the weights up to and with each one, for DrawIndex.
std::vector<double> Cumulate(std::span<const double> weights);

/// The index whose share of [0, total) holds the uniform number that `bits` stands for. A weight of 0 is never drawn.
/// `cumulative` is not empty and ends above 0.
int DrawIndex(std::span<const double> cumulative, uint32_t bits);

/// The quantile at the uniform number that `bits` stands for, by linear interpolation between kQuantiles known ones;
/// below 0.5 % the first and above 99.5 % the last.
double DrawFromQuantiles(std::span<const double> quantiles, uint32_t bits);

}  // namespace genoserve
