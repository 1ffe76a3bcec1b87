// Compiled with -ffp-contract=off: the transforms use only correctly rounded operations (+, -, *, /, sqrt).
#include "core/base/philox.h"

#include <bit>
#include <cmath>
#include <cstddef>

namespace genoserve {
namespace {

// Natural logarithm of a positive normal number, without libm: x = m * 2^e with m in [sqrt(1/2), sqrt(2)), and
// log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716, by its Taylor series up to s^21 (error below 1e-17).
double Log(double x) {
  const auto bits = std::bit_cast<uint64_t>(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1.0) / (m + 1.0);
  const double s2 = s * s;
  double sum = 0.0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return 2.0 * s * sum + exponent * 0.6931471805599453;
}

double Ratio(double r, const std::array<double, 8>& a, const std::array<double, 8>& b) {
  double numerator = a[7];
  double denominator = b[7];
  for (int i = 6; i >= 0; --i) {
    numerator = numerator * r + a[static_cast<size_t>(i)];
    denominator = denominator * r + b[static_cast<size_t>(i)];
  }
  return numerator / denominator;
}

// Coefficients of AS 241, PPND16.
constexpr std::array<double, 8> kCentreA = {
    3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
    4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr std::array<double, 8> kCentreB = {1.0,
                                            4.2313330701600911252e+1,
                                            6.8718700749205790830e+2,
                                            5.3941960214247511077e+3,
                                            2.1213794301586595867e+4,
                                            3.9307895800092710610e+4,
                                            2.8729085735721942674e+4,
                                            5.2264952788528545610e+3};
constexpr std::array<double, 8> kMiddleA = {
    1.42343711074968357734e0, 4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr std::array<double, 8> kMiddleB = {1.0,
                                            2.05319162663775882187e0,
                                            1.67638483018380384940e0,
                                            6.89767334985100004550e-1,
                                            1.48103976427480074590e-1,
                                            1.51986665636164571966e-2,
                                            5.47593808499534494600e-4,
                                            1.05075007164441684324e-9};
constexpr std::array<double, 8> kTailA = {
    6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr std::array<double, 8> kTailB = {1.0,
                                          5.99832206555887937690e-1,
                                          1.36929880922735805310e-1,
                                          1.48753612908506148525e-2,
                                          7.86869131145613259100e-4,
                                          1.84631831751005468180e-5,
                                          1.42151175831644588870e-7,
                                          2.04426310338993978564e-15};

}  // namespace

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

PhiloxStream::PhiloxStream(uint64_t seed, uint64_t sample, int haplotype, Purpose purpose)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      counter_{static_cast<uint32_t>(sample), static_cast<uint32_t>(sample >> 32),
               (static_cast<uint32_t>(purpose) << 8) | static_cast<uint32_t>(haplotype)} {}

std::array<uint32_t, 4> PhiloxStream::Block(uint32_t block) const {
  return Philox4x32({block, counter_[0], counter_[1], counter_[2]}, key_);
}

void PhiloxStream::FillBits(uint32_t first, std::span<uint32_t> out) const {
  uint32_t block = first / 4;
  size_t i = 0;
  for (; i + 4 <= out.size(); i += 4) {
    const auto four = Block(block++);
    for (size_t k = 0; k < 4; ++k) out[i + k] = four[k];
  }
  if (i < out.size()) {
    const auto four = Block(block);
    for (size_t k = 0; i < out.size(); ++i, ++k) out[i] = four[k];
  }
}

void PhiloxStream::FillNormal(std::span<float> out) const {
  uint32_t block = 0;
  for (size_t i = 0; i < out.size(); i += 4) {
    const auto four = Block(block++);
    for (size_t k = 0; k < 4 && i + k < out.size(); ++k) out[i + k] = static_cast<float>(ToNormal(four[k]));
  }
}

double NormalQuantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) return q * Ratio(0.180625 - q * q, kCentreA, kCentreB);
  const double r = std::sqrt(-Log(q < 0 ? p : 1.0 - p));
  const double magnitude = r <= 5.0 ? Ratio(r - 1.6, kMiddleA, kMiddleB) : Ratio(r - 5.0, kTailA, kTailB);
  return q < 0 ? -magnitude : magnitude;
}

double ToNormal(uint32_t bits) { return NormalQuantile(ToUniform(bits)); }

}  // namespace genoserve
