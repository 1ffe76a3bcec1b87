#include "core/artifact/allele_frequencies.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace genoserve {
namespace {

constexpr double kSteps = 65535;

}  // namespace

std::string EncodeAlleleFrequencies(std::span<const double> frequencies) {
  std::string bytes;
  bytes.reserve(2 * frequencies.size());
  for (const double frequency : frequencies) {
    const auto step = static_cast<uint32_t>(std::lround(std::clamp(frequency, 0.0, 1.0) * kSteps));
    bytes.push_back(static_cast<char>(step & 0xff));
    bytes.push_back(static_cast<char>(step >> 8));
  }
  return bytes;
}

std::vector<double> DecodeAlleleFrequencies(absl::string_view bytes) {
  std::vector<double> frequencies(bytes.size() / 2);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const uint32_t low = static_cast<uint8_t>(bytes[2 * i]);
    const uint32_t high = static_cast<uint8_t>(bytes[2 * i + 1]);
    frequencies[i] = static_cast<double>(high << 8 | low) / kSteps;
  }
  return frequencies;
}

}  // namespace genoserve
