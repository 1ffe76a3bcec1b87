#include "trainer/chain/tilt.h"

#include <cmath>

namespace genoserve {
namespace {

constexpr double kMostFactor = 50;
constexpr int kHalvings = 40;
constexpr int kRounds = 30;
constexpr double kSettled = 1e-5;  // a round that moves no factor by more is the last

// The weighted mean probability of `symbol`.
double Mean(std::span<const double> probabilities, std::span<const double> masses,
            const std::array<double, kMostChainSymbols>& factors, size_t symbols, size_t symbol) {
  double sum = 0;
  for (size_t row = 0; row < masses.size(); ++row) {
    const std::span<const double> p = probabilities.subspan(row * symbols, symbols);
    if (p[symbol] <= 0) continue;
    double total = 0;
    for (size_t s = 0; s < symbols; ++s) total += p[s] * factors[s];
    sum += masses[row] * p[symbol] * factors[symbol] / total;
  }
  return sum;
}

}  // namespace

std::array<double, kMostChainSymbols> TiltFactors(std::span<const double> probabilities, std::span<const double> masses,
                                                  std::span<const double> frequencies) {
  const size_t symbols = frequencies.size();
  std::array<double, kMostChainSymbols> factors = {1, 1, 1};
  // With two symbols the first round is exact.
  for (int round = 0; round < (symbols > 2 ? kRounds : 1); ++round) {
    const auto before = factors;
    for (size_t symbol = 1; symbol < symbols; ++symbol) {
      double low = 1 / kMostFactor;
      double high = kMostFactor;
      for (int i = 0; i < kHalvings; ++i) {
        factors[symbol] = std::sqrt(low * high);
        const bool less = Mean(probabilities, masses, factors, symbols, symbol) < frequencies[symbol];
        (less ? low : high) = factors[symbol];
      }
    }
    const auto moved = [&](size_t symbol) { return std::fabs(factors[symbol] / before[symbol] - 1) > kSettled; };
    if (!moved(1) && !moved(2)) break;
  }
  return factors;
}

}  // namespace genoserve
