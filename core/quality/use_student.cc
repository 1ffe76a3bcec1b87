#include "core/quality/use_student.h"

#include <cmath>
#include <numbers>

namespace genoserve {
namespace {

constexpr int kMostTerms = 500;
constexpr double kEnough = 1e-15;
constexpr double kTiny = 1e-300;

// std::lgamma writes a global; this is for arguments above 0.
double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);
}

double KeptFromZero(double x) { return std::abs(x) < kTiny ? kTiny : x; }

// The continued fraction of I_x(a, b) by Lentz's method; quick where x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  double c = 1;
  double d = 1 / KeptFromZero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / KeptFromZero(1 + even * d);
    c = KeptFromZero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / KeptFromZero(1 + odd * d);
    c = KeptFromZero(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < kEnough) break;
  }
  return fraction;
}

}  // namespace

StudentT::StudentT(double freedom)
    : freedom_(freedom), log_beta_(LogGamma(freedom / 2) + LogGamma(0.5) - LogGamma(freedom / 2 + 0.5)) {}

double StudentT::MinusLog10P(double t) const {
  const double a = freedom_ / 2;
  const double b = 0.5;
  const double square = t * t;
  const double x = freedom_ / (freedom_ + square);
  const double y = square / (freedom_ + square);
  if (y == 0) return 0;
  const double log_front = a * std::log1p(-y) + b * std::log(y) - log_beta_;
  if (x < (a + 1) / (a + b + 2)) {
    // Where t is so large that y rounds to 1, log x is taken from x itself.
    const double log_x = y > 0.5 ? std::log(x) : std::log1p(-y);
    const double log_p = a * log_x + b * std::log(y) - log_beta_ + std::log(BetaFraction(a, b, x)) - std::log(a);
    return -log_p / std::numbers::ln10;
  }
  return -std::log1p(-std::exp(log_front) * BetaFraction(b, a, y) / b) / std::numbers::ln10;
}

}  // namespace genoserve
