// Factors that bring the mean of probabilities to frequencies that are known.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace genoserve {

/// Codes that a variant can have: 2 for haplotypes, 3 for genotypes.
inline constexpr size_t kMostChainSymbols = 3;

/// Factors f of the symbols, f[0] = 1, for which the mean over the rows of p[row][s] f[s] / sum_t p[row][t] f[t],
/// weighted by `masses`, is nearest to `frequencies`. `probabilities` is [rows][symbols], with rows that sum to 1; a
/// row with one symbol of probability 1 is the same under all factors. Each factor is within 1/50 and 50. Iterative
/// proportional fitting (Deming and Stephan 1940) of one margin, solved symbol by symbol by bisection.
std::array<double, kMostChainSymbols> TiltFactors(std::span<const double> probabilities, std::span<const double> masses,
                                                  std::span<const double> frequencies);

}  // namespace genoserve
