// The inner loop of calibration: sums over rows of the probabilities of one variant after another.
#pragma once

#include <cstddef>
#include <span>

namespace genoserve {

/// Sums over rows, one a variant, of what follows from the probabilities p1 and p2 of the states 1 and 2.
struct ProbabilitySums {
  std::span<float> p1;
  std::span<float> p2;
  std::span<float> p11;   ///< of p1 (1 - p1)
  std::span<float> p22;   ///< of p2 (1 - p2)
  std::span<float> p12;   ///< of p1 p2
  std::span<float> mean;  ///< of (p1 + 2 p2)^2
};

/// Logits relative to state 0: scale[v] * logits1[row][v] + bias1[v] and scale[v] * factor2 * logits2[row][v] +
/// bias2[v]. Rows are `stride` floats apart; all other arrays have `variants` values.
struct RelativeLogits {
  size_t rows = 0;
  size_t variants = 0;
  size_t stride = 0;
  const float* logits1 = nullptr;
  const float* logits2 = nullptr;  ///< nullptr: alleles, which have no state 2
  float factor2 = 1.0F;
  const float* scale = nullptr;
  const float* bias1 = nullptr;
  const float* bias2 = nullptr;
};

/// Adds up all rows; the sums are overwritten. Those of state 2 are left alone for alleles.
void SumProbabilities(const RelativeLogits& logits, const ProbabilitySums& sums);

}  // namespace genoserve
