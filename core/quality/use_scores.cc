#include "core/quality/use_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace genoserve {
namespace {

double MeanOf(std::span<const double> values, std::span<const uint32_t> indices) {
  double sum = 0;
  for (const uint32_t i : indices) sum += values[i];
  return sum / static_cast<double>(indices.size());
}

}  // namespace

double CorrelationOf(std::span<const double> x, std::span<const double> y, std::span<const uint32_t> indices) {
  const double mean_x = MeanOf(x, indices);
  const double mean_y = MeanOf(y, indices);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (const uint32_t i : indices) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xy / std::sqrt(xx * yy);
}

double DeterminationOf(std::span<const double> truth, std::span<const double> predicted,
                       std::span<const uint32_t> indices) {
  const double mean = MeanOf(truth, indices);
  double around_mean = 0;
  double left = 0;
  for (const uint32_t i : indices) {
    around_mean += (truth[i] - mean) * (truth[i] - mean);
    left += (truth[i] - predicted[i]) * (truth[i] - predicted[i]);
  }
  return around_mean > 0 ? 1 - left / around_mean : std::numeric_limits<double>::quiet_NaN();
}

double AucOf(std::span<const uint8_t> of_level, std::span<const double> scores, std::span<const uint32_t> indices) {
  std::vector<std::pair<double, uint8_t>> sorted;
  sorted.reserve(indices.size());
  for (const uint32_t i : indices) sorted.emplace_back(scores[i], of_level[i]);
  std::sort(sorted.begin(), sorted.end());
  double below = 0;  // samples of other levels with lower scores
  double within = 0;
  double wins = 0;
  for (size_t start = 0, end = 0; start < sorted.size(); start = end) {
    double in = 0;
    double out = 0;
    for (end = start; end < sorted.size() && sorted[end].first == sorted[start].first; ++end) {
      (sorted[end].second != 0 ? in : out) += 1;
    }
    wins += in * (below + out / 2);
    within += in;
    below += out;
  }
  return wins / (within * below);
}

}  // namespace genoserve
