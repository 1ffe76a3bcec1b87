// The standard normal quantile in single precision: the value that a 32-bit number stands for, and the table that
// gives it to many numbers at once with the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace genoserve {

/// The quantile z of p = (number + 0.5) / 2^32 is x P(u), with x = 2^32 (p - 1/2) and u = 2^16 min(p, 1 - p). z / x is
/// smooth from the middle far into the tails, so that P is a polynomial of degree 6 with its own coefficients in each
/// octave of u. They are computed once: P equals z / x, by NormalQuantile, at Chebyshev's points of the octave. As
/// that takes correctly rounded operations only, they are the same on every machine.
struct NormalTable {
  static constexpr size_t kDegree = 6;
  /// Octave 0 holds p = 2^-33 alone, u = 2^-17; its biased exponent. In octave 32 there is u = 2^15 alone, to which
  /// numbers next to the middle are rounded.
  static constexpr uint32_t kFirstExponent = 110;
  /// The lowest four bits of the exponent count the 16 octaves from this one on, of which the last is empty. What is
  /// farther out, one number of 2^14, is at less than kFar from an end of the 32-bit range.
  static constexpr size_t kFirstNear = 18;
  static constexpr size_t kOctaves = kFirstNear + 16;
  static constexpr uint32_t kFar = uint32_t{1} << (kFirstNear - 1);

  /// coefficients[k][octave] is that of u^k.
  std::array<std::array<float, kOctaves>, kDegree + 1> coefficients{};

  static const NormalTable& Get();
};

/// The standard normal quantile of (number + 0.5) / 2^32, from -6.34 to 6.34. Its relative error is below 1e-6.
float NormalOf(uint32_t number);

}  // namespace genoserve
