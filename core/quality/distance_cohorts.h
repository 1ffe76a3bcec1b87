// What coverage and the closest records share: the equalised cohorts as rows of bits, intervals of figures that are
// made of means over samples, and histograms of distances.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/quality/bit_planes.h"
#include "core/quality/measurement.h"
#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Rows of one cohort that are compared at most: time grows with their square. Of larger cohorts, samples are picked at
/// even spaces, which keeps the shares of the labels; n of each figure tells how many there were.
inline constexpr size_t kMostRows = 4000;

/// The cohort, or `most` of its samples at even spaces where it has more.
Cohort EvenlyPicked(const Cohort& cohort, size_t most);

/// The equalised cohorts of one comparison, of `samples` samples each. Sample i of each has the same label.
struct DistanceCohorts {
  Cohort members;
  Cohort holdout;
  std::array<Cohort, 3> candidates;  ///< by Candidate
  BitPlanes member_rows;
  BitPlanes holdout_rows;
  std::array<BitPlanes, 3> candidate_rows;
  uint64_t seed = 0;

  size_t samples() const { return holdout.samples(); }
  size_t rows() const { return holdout.genotypes.rows(); }
  size_t variants() const { return holdout.genotypes.variants(); }
  size_t rows_per_sample() const { return RowsPerSample(holdout.genotypes.packing()); }
  const Cohort& candidate(Candidate which) const { return candidates[static_cast<size_t>(which)]; }
  const BitPlanes& rows_of(Candidate which) const { return candidate_rows[static_cast<size_t>(which)]; }

  /// The cohorts of `sets`, with at most `most_rows` rows each.
  static DistanceCohorts Of(const QualitySets& sets, size_t most_rows = kMostRows);
};

/// The mean; NaN of none.
double Mean(std::span<const double> values);

/// Means of `values`, one a row, over the rows of each sample: the rows of one person are not independent.
std::vector<double> PerSample(std::span<const double> values, size_t rows_per_sample);

/// A function of the means of several columns, each with one value a sample, with its bootstrap interval over samples:
/// the same places are drawn of every column, so that labels keep their shares in all cohorts alike.
Measurement BootstrapOfMeans(const std::vector<std::vector<double>>& columns, uint64_t seed,
                             absl::FunctionRef<double(std::span<const double> means)> of_means,
                             absl::string_view otherwise);

/// Bins of equal width over whole numbers, which are the distances.
struct Bins {
  uint32_t first = 0;  ///< smallest number of the first bin
  uint32_t width = 1;
  size_t count = 1;

  size_t Of(uint32_t distance) const { return (distance - first) / width; }
  /// At most `most` bins over the numbers from `smallest` to `largest`.
  static Bins Over(uint32_t smallest, uint32_t largest, size_t most);
};

/// Adds a series of a bar chart: x = left edges of the bins over `variants`, y = shares of the counts, one a bin.
void AddHistogram(absl::string_view name, absl::string_view role, const Bins& bins, std::span<const double> counts,
                  size_t variants, v1::Chart* chart);

}  // namespace genoserve
