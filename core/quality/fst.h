// Differentiation between samples: Fst as ratios of averages over variants, so that rare variants weigh little.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/quality/frequency_blocks.h"
#include "core/quality/frequency_counts.h"
#include "core/quality/measurement.h"

namespace genoserve {

/// What each variant adds to both sides of the ratio. Fst = sum numerators / sum denominators.
struct FstTerms {
  std::vector<double> numerators;
  std::vector<double> denominators;
};

/// Hudson's estimator (Bhatia et al. 2013, equation 10; `plink2 --fst` by default): with ALT frequencies p and counts
/// of alleles n, numerator (p1 - p2)^2 - p1 (1 - p1) / (n1 - 1) - p2 (1 - p2) / (n2 - 1), denominator p1 (1 - p2) + p2
/// (1 - p1). Both sides must have the same variants and a sample. May be below 0 where the sides do not differ.
FstTerms HudsonTerms(const VariantCounts& a, const VariantCounts& b);

/// Weir and Cockerham's theta of two populations (1984, equations 2 to 4): numerator a, denominator a + b + c, with the
/// observed heterozygotes. Both sides must have the same variants; needs three samples in all, and one on each side.
FstTerms WeirCockerhamTerms(const VariantCounts& a, const VariantCounts& b);

/// Hudson's Fst of every pair of some labels, as sums over blocks of variants. Const methods are thread-safe.
class LabelFst {
 public:
  /// Of these labels of a cohort, each of which has a sample.
  LabelFst(const VariantBlocks& blocks, const std::vector<VariantCounts>& counts, const std::vector<size_t>& labels);

  /// Pairs (0, 1), (0, 2), ..., (1, 2), ... of the labels, by their place in the list.
  size_t pairs() const { return pairs_; }
  /// Fst of all pairs over these blocks, each as often as it stands there. NaN where the two labels are fixed for the
  /// same allele everywhere.
  std::vector<double> Over(std::span<const uint32_t> blocks) const;
  /// Over all blocks once.
  std::vector<double> All() const;

 private:
  size_t pairs_ = 0;
  size_t blocks_ = 0;
  std::vector<std::array<double, 2>> sums_;  // [block][pair]: numerator, denominator
};

/// Root of the mean squared difference of two matrices of Fst over the same pairs of labels, with blocks resampled. n
/// counts the pairs that both have. Not measured without any. Resamples differ more than the whole, as noise adds to
/// every pair: the interval leans upwards, and is widened to reach down to the value.
Measurement MeasureMatrixDifference(const VariantBlocks& blocks, const LabelFst& real, const LabelFst& candidate,
                                    uint64_t seed);

}  // namespace genoserve
