// Correlations of the codes of many variants, from counts of bits, which are several times as fast as products of
// floats.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "core/quality/bit_planes.h"
#include "trainer/objective/standardised_codes.h"

namespace genoserve {

/// The sum of products of two variants' codes is a count of common bits of their planes, exactly, and the sum of the
/// products of their means in each group is taken from it. Memory: the packed genotypes once more, by variant.
/// Const methods are thread-safe; genotypes must not be missing.
class CountedCorrelations {
 public:
  explicit CountedCorrelations(const StandardisedCodes& z);

  /// Correlations of the `chosen` variants with the variants [from, variants), on the CPU; the same as
  /// StandardisedCodes::Correlations but for rounding.
  at::Tensor Of(const std::vector<int64_t>& chosen, int64_t from) const;

 private:
  BitPlanes planes_;
  at::Tensor means_;         // [groups, variants]
  at::Tensor group_shares_;  // [groups, 1]
  at::Tensor factors_;       // [variants]
  int64_t rows_;
};

}  // namespace genoserve
