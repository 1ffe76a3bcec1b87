// Quantiles of numbers.
#pragma once

#include <span>

namespace genoserve {

/// The quantile `p` (0 to 1) of ascending numbers by linear interpolation between order statistics: definition 7 of
/// Hyndman and Fan (1996), at (n - 1) p. At least one number.
double Quantile(std::span<const double> sorted, double p);

}  // namespace genoserve
