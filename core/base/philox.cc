// Compiled with -ffp-contract=off: the transforms use only correctly rounded operations (+, -, *, /, sqrt).
#include "core/base/philox.h"

#include <bit>
#include <cmath>
#include <cstddef>

#include "core/base/as241.h"

namespace genoserve {
namespace {

using as241::kCentreA;
using as241::kCentreB;
using as241::kMiddleA;
using as241::kMiddleB;
using as241::kTailA;
using as241::kTailB;

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
