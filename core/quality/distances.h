// Distances between the rows of cohorts, and nearest neighbours: what coverage and the closest records are read off.
//
// The distance of two rows is the sum of |x - y| over variants: Manhattan of diploid genotypes, Hamming of haplotypes.
// All pairs are visited, block by block, so that time grows with the product of the counts of rows and memory only with
// their sum. Rows of BitPlanes::OfRows; both sets have the same variants and packing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/quality/bit_planes.h"

namespace genoserve {

/// Calls `visit` once for each row of `from` with its distances to all rows of `to`, in their order. Rows come in no
/// defined order, from several threads at once.
void VisitDistances(const BitPlanes& from, const BitPlanes& to,
                    absl::FunctionRef<void(size_t row, std::span<const uint32_t> distances)> visit);

/// A row of a set and how far it is.
struct Neighbour {
  uint32_t row = 0;
  uint32_t distance = 0;

  friend bool operator==(const Neighbour&, const Neighbour&) = default;
};

/// The k nearest rows for each of several rows.
struct Neighbours {
  size_t k = 0;
  std::vector<Neighbour> nearest;  ///< [row * k + rank], nearest first; equally near ones by row

  /// Of one row: k neighbours.
  std::span<const Neighbour> Of(size_t row) const { return {nearest.data() + row * k, k}; }
  /// How far the nearest one is.
  uint32_t Closest(size_t row) const { return nearest[row * k].distance; }
};

/// For each row of `from`, its k nearest rows of `to`. 1 <= k <= to.vectors().
Neighbours NearestAmong(const BitPlanes& from, const BitPlanes& to, size_t k);

/// For each row of `set`, its k nearest rows of other samples. All rows of its own sample (RowsPerSample) are left out:
/// the second haplotype of a person says nothing about how near other people are, and where people are inbred it would
/// always be the nearest. 1 <= k <= set.vectors() - rows_per_sample.
Neighbours NearestOthers(const BitPlanes& set, size_t rows_per_sample, size_t k);

/// The k smallest of `distances` but those in [left_out, left_out + left_out_count), written to `nearest`, whose size
/// is k. At least k must remain.
void SmallestDistances(std::span<const uint32_t> distances, size_t left_out, size_t left_out_count,
                       std::span<Neighbour> nearest);

}  // namespace genoserve
