// Charts of linkage disequilibrium: its decay with distance, and heat maps of one region.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "core/genotype/variant_table.h"
#include "core/quality/linkage_pairs.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Variants of a heat map.
inline constexpr size_t kHeatmapVariants = 100;
/// Bins of distance with fewer pairs are neither drawn nor compared: their mean r^2 is mostly chance.
inline constexpr int64_t kDecayPairs = 50;

/// Mean r^2 of near pairs by distance, one line for the hold-out and one for each candidate. The hold-out's is over
/// the pairs that it shares with the synthetic cohort.
v1::Chart DecayChart(const std::array<DecaySums, kCandidates.size()>& sums);

/// Variants [begin, end) of one contig; empty where no contig has two.
struct VariantRange {
  size_t begin = 0;
  size_t end = 0;
};

/// The range of at most kHeatmapVariants variants whose neighbours are linked the strongest: the greatest sum of their
/// r^2. Of equal ones the first.
VariantRange StrongestRange(const VariantCorrelations& real, const VariantTable& variants);

/// r^2 of all pairs of a range: real above the diagonal, synthetic below; the diagonal, and pairs in which a variant
/// does not vary, are empty.
v1::Chart HeatmapChart(const LinkageSets& sets, const VariantTable& variants, VariantRange range,
                       absl::string_view label);

}  // namespace genoserve
