// Figures that are sums over variants, with intervals from blocks of neighbouring ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "core/quality/measurement.h"

namespace genoserve {

/// Runs of neighbouring variants of nearly equal size, which a bootstrap draws as wholes because neighbours are linked:
/// 20 variants or more a block, at most 200 blocks, and at least 10 where there are as many variants.
class VariantBlocks {
 public:
  explicit VariantBlocks(size_t variants)
      : variants_(variants), count_(std::min(variants, std::clamp<size_t>(variants / 20, 10, 200))) {}

  size_t variants() const { return variants_; }
  size_t count() const { return count_; }
  /// The first variant of a block; variants() for the block after the last.
  size_t Begin(size_t block) const { return count_ == 0 ? 0 : block * variants_ / count_; }

 private:
  size_t variants_;
  size_t count_;
};

/// How two vectors agree, as Agreement of agreement.h has it, with intervals. n counts the pairs compared.
struct MeasuredAgreement {
  Measurement pearson;
  Measurement rmse;
  /// The interval ends at the value itself: no resample of blocks has a larger difference than all of them have.
  Measurement max_difference;
};

/// Compares two vectors that have the same count of numbers for each variant, variant by variant. Pairs in which one is
/// NaN are left out; without any other, nothing is measured, for the reason `otherwise`. Blocks are resampled.
MeasuredAgreement MeasureAgreement(const VariantBlocks& blocks, std::span<const double> x, std::span<const double> y,
                                   uint64_t seed, absl::string_view otherwise);

/// sum numerators / sum denominators, each one a variant, with blocks resampled. n counts the denominators that are not
/// 0. Not measured, for the reason `otherwise`, where the denominators sum to 0.
Measurement MeasureRatio(const VariantBlocks& blocks, std::span<const double> numerators,
                         std::span<const double> denominators, uint64_t seed, absl::string_view otherwise);

}  // namespace genoserve
