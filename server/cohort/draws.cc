// Compiled with -ffp-contract=off: values must not change with the machine.
#include "server/cohort/draws.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/philox.h"

namespace genoserve {
namespace {

// The probability that quantile `i` stands for.
double QuantileProbability(size_t i) {
  if (i == 0) return 0.005;
  if (i == kQuantiles - 1) return 0.995;
  return static_cast<double>(i) / 100.0;
}

}  // namespace

std::vector<int64_t> LargestRemainder(int64_t size, std::span<const double> proportions) {
  const double total = std::accumulate(proportions.begin(), proportions.end(), 0.0);
  std::vector<int64_t> counts(proportions.size());
  std::vector<double> remainders(proportions.size());
  int64_t left = size;
  for (size_t i = 0; i < proportions.size(); ++i) {
    const double share = static_cast<double>(size) * (proportions[i] / total);
    // Rounding may lift a share by an ulp; never hand out more than there is.
    counts[i] = std::min(static_cast<int64_t>(std::floor(share)), left);
    remainders[i] = share - std::floor(share);
    left -= counts[i];
  }
  std::vector<size_t> order(proportions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (size_t i = 0; left > 0; i = (i + 1) % order.size(), --left) ++counts[order[i]];
  return counts;
}

std::vector<double> Cumulate(std::span<const double> weights) {
  std::vector<double> cumulative(weights.size());
  std::partial_sum(weights.begin(), weights.end(), cumulative.begin());
  return cumulative;
}

int DrawIndex(std::span<const double> cumulative, uint32_t bits) {
  const double place = ToUniform(bits) * cumulative.back();
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), place);
  // Rounding may put the place at the very end; the last weight above 0 then has it.
  const auto last = std::lower_bound(cumulative.begin(), cumulative.end(), cumulative.back());
  return static_cast<int>(std::min(found, last) - cumulative.begin());
}

double DrawFromQuantiles(std::span<const double> quantiles, uint32_t bits) {
  const double p = ToUniform(bits);
  if (p <= QuantileProbability(0)) return quantiles.front();
  if (p >= QuantileProbability(kQuantiles - 1)) return quantiles.back();
  auto i = static_cast<size_t>(p * 100.0);
  if (p < QuantileProbability(i)) --i;  // 0.99 to 0.995, and products that rounded up
  if (i >= kQuantiles - 1) i = kQuantiles - 2;
  const double low = QuantileProbability(i);
  const double share = (p - low) / (QuantileProbability(i + 1) - low);
  return quantiles[i] + share * (quantiles[i + 1] - quantiles[i]);
}

}  // namespace genoserve
