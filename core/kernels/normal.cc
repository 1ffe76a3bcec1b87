// Compiled with -ffp-contract=off: a multiplication and an addition are one operation where std::fma says so only.
#include "core/kernels/normal.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/philox.h"

namespace genoserve {
namespace {

constexpr size_t kPoints = NormalTable::kDegree + 1;
using Polynomial = std::array<double, kPoints>;

// 3/2 + cos((2 k + 1) pi / 14) / 2: Chebyshev's points of [1, 2].
constexpr Polynomial kChebyshev = {1.98746395609091181, 1.89091574123401490, 1.71694186955877906, 1.5,
                                   1.28305813044122094, 1.10908425876598510, 1.01253604390908819};

// Coefficients, by rising power, of the polynomial with these values at kChebyshev, by Newton's divided differences.
Polynomial Interpolate(Polynomial values) {
  for (size_t order = 1; order < kPoints; ++order) {
    for (size_t k = kPoints - 1; k >= order; --k) {
      values[k] = (values[k] - values[k - 1]) / (kChebyshev[k] - kChebyshev[k - order]);
    }
  }
  Polynomial coefficients{};
  for (size_t k = kPoints; k-- > 0;) {
    // The polynomial so far times (m - kChebyshev[k]), plus values[k].
    for (size_t power = kPoints - 1; power > 0; --power) {
      coefficients[power] = coefficients[power - 1] - kChebyshev[k] * coefficients[power];
    }
    coefficients[0] = values[k] - kChebyshev[k] * coefficients[0];
  }
  return coefficients;
}

NormalTable MakeTable() {
  constexpr int kLowest = -17;
  constexpr int kMiddle = 15;
  NormalTable table;
  for (int exponent = kLowest; exponent < kMiddle; ++exponent) {
    Polynomial ratios;
    for (size_t k = 0; k < kPoints; ++k) {
      const double u = std::ldexp(kChebyshev[k], exponent);
      ratios[k] = NormalQuantile(u * 0x1p-16) / ((u - 0x1p15) * 0x1p16);
    }
    const Polynomial coefficients = Interpolate(ratios);
    for (size_t power = 0; power < kPoints; ++power) {
      table.coefficients[power][static_cast<size_t>(exponent - kLowest)] =
          static_cast<float>(std::ldexp(coefficients[power], -exponent * static_cast<int>(power)));
    }
  }
  // The slope in the middle, sqrt(2 pi) in units of x.
  table.coefficients[0][kMiddle - kLowest] = static_cast<float>(2.5066282746310005 * 0x1p-32);
  return table;
}

}  // namespace

const NormalTable& NormalTable::Get() {
  static const NormalTable table = MakeTable();
  return table;
}

// x and u are made of whole numbers, so that each is exact where it is small.
float NormalOf(uint32_t number) {
  const auto& coefficients = NormalTable::Get().coefficients;
  const float x = static_cast<float>(static_cast<int32_t>(number ^ 0x80000000U)) + 0.5F;
  const uint32_t from_end = std::min(number, ~number);
  const float u = std::fma(static_cast<float>(from_end), 0x1p-16F, 0x1p-17F);
  const size_t octave = (std::bit_cast<uint32_t>(u) >> 23) - NormalTable::kFirstExponent;
  float ratio = coefficients[NormalTable::kDegree][octave];
  for (size_t power = NormalTable::kDegree; power-- > 0;) ratio = std::fma(ratio, u, coefficients[power][octave]);
  return x * ratio;
}

}  // namespace genoserve
