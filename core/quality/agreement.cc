#include "core/quality/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace genoserve {

Agreement Compare(std::span<const double> x, std::span<const double> y) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  Agreement agreement{0, kNan, kNan, kNan};
  double sum_x = 0;
  double sum_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    ++agreement.pairs;
    sum_x += x[i];
    sum_y += y[i];
  }
  if (agreement.pairs == 0) return agreement;
  const auto n = static_cast<double>(agreement.pairs);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  double squares = 0;
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    const double dx = x[i] - sum_x / n;
    const double dy = y[i] - sum_y / n;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
    const double difference = x[i] - y[i];
    squares += difference * difference;
    largest = std::max(largest, std::abs(difference));
  }
  agreement.rmse = std::sqrt(squares / n);
  agreement.max_difference = largest;
  // Rounding leaves a trace of variance in constant vectors; 1e-24 is far below that of any frequencies.
  if (xx > n * 1e-24 && yy > n * 1e-24) agreement.pearson = std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
  return agreement;
}

}  // namespace genoserve
