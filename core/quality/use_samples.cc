#include "core/quality/use_samples.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/base/parallel.h"
#include "core/kernels/bits.h"
#include "core/quality/bit_planes.h"
#include "core/quality/evenly_spaced.h"

namespace genoserve {
namespace {

constexpr size_t kTileBytes = 100 << 10;  // of one side of a tile, so that it stays in the cache

// The planes of the vectors from `first` on, which stand one after another.
std::span<const uint64_t> VectorsOf(const BitPlanes& planes, size_t first, size_t count) {
  const std::span<const uint64_t> vector = planes.Vector(first);
  return {vector.data(), count * vector.size()};
}

size_t VectorsOfTile(const BitPlanes& planes) {
  return std::max<size_t>(1, kTileBytes / std::max<size_t>(1, planes.Vector(0).size_bytes()));
}

// Calls work(first, count) for tiles of [0, total).
void ForEachTile(size_t total, size_t tile, absl::FunctionRef<void(size_t, size_t)> work) {
  ParallelFor((total + tile - 1) / tile, [&](size_t i) { work(i * tile, std::min(tile, total - i * tile)); });
}

// With x = a0 + a1 and y = b0 + b1 as planes of bits, x y' is the sum of the four counts of bits in both.
Eigen::MatrixXf Products(const std::vector<BitPlanes>& sets, size_t n) {
  const auto total = static_cast<Eigen::Index>(sets.size() * n);
  Eigen::MatrixXf products(total, total);
  const size_t tile = VectorsOfTile(sets[0]);
  for (size_t a = 0; a < sets.size(); ++a) {
    ForEachTile(n, tile, [&](size_t first, size_t count) {
      const std::span<const uint64_t> rows = VectorsOf(sets[a], first, count);
      std::vector<uint32_t> counts(4 * count);
      const std::span<uint32_t> with_first(counts.data(), 2 * count);
      const std::span<uint32_t> with_second(counts.data() + 2 * count, 2 * count);
      for (size_t b = a; b < sets.size(); ++b) {
        for (size_t j = 0; j < n; ++j) {
          CountAndMany(sets[b].Plane(j, 0), rows, with_first);
          CountAndMany(sets[b].Plane(j, 1), rows, with_second);
          for (size_t i = 0; i < count; ++i) {
            const uint32_t sum =
                with_first[2 * i] + with_first[2 * i + 1] + with_second[2 * i] + with_second[2 * i + 1];
            products(static_cast<Eigen::Index>(a * n + first + i), static_cast<Eigen::Index>(b * n + j)) =
                static_cast<float>(sum);
          }
        }
      }
    });
  }
  products.triangularView<Eigen::StrictlyLower>() = products.transpose();
  return products;
}

}  // namespace

Rows UseSamples::Of(UseSet set) const {
  Rows rows(n);
  std::iota(rows.begin(), rows.end(), static_cast<Eigen::Index>(static_cast<size_t>(set) * n));
  return rows;
}

Rows UseSamples::Of(UseSet set, size_t phenotype) const {
  Rows rows = Of(set);
  std::erase_if(rows, [&](Eigen::Index row) { return std::isnan(phenotypes[phenotype][static_cast<size_t>(row)]); });
  return rows;
}

const Cohort& CohortOf(const QualitySets& sets, UseSet set) {
  if (set == UseSet::kMembers) return sets.members;
  if (set == UseSet::kHoldout) return sets.holdout;
  return sets.candidates[static_cast<size_t>(set)];
}

const std::vector<std::vector<double>>& PhenotypesOf(const QualitySets& sets, UseSet set) {
  return CohortOf(sets, set == UseSet::kNaive ? UseSet::kHoldout : set).phenotypes;
}

UseSamples MakeUseSamples(const QualitySets& sets) {
  UseSamples samples;
  samples.n = std::min(sets.n(), kMostUseSamples);
  const size_t n = samples.n;
  samples.phenotypes.assign(sets.phenotypes.size(), {});
  std::vector<BitPlanes> planes;
  for (size_t s = 0; s < kUseSets; ++s) {
    const auto set = static_cast<UseSet>(s);
    const Cohort& cohort = CohortOf(sets, set);
    const std::vector<size_t> indices = EvenlySpaced(cohort.samples(), n);
    planes.push_back(BitPlanes::OfRows(cohort.genotypes.SelectSamples(indices).ToDiploid()));
    if (!sets.labels.empty()) {
      for (const size_t i : indices) samples.labels.push_back(cohort.labels[i]);
    }
    const std::vector<std::vector<double>>& values = PhenotypesOf(sets, set);
    for (size_t p = 0; p < samples.phenotypes.size(); ++p) {
      for (const size_t i : indices) {
        samples.phenotypes[p].push_back(values.empty() ? std::numeric_limits<double>::quiet_NaN() : values[p][i]);
      }
    }
  }
  samples.products = Products(planes, n);
  samples.distances.resize(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(kUseSets * n));
  const BitPlanes& holdout = planes[static_cast<size_t>(UseSet::kHoldout)];
  for (size_t s = 0; s < kUseSets; ++s) {
    ForEachTile(n, VectorsOfTile(planes[s]), [&](size_t first, size_t count) {
      for (size_t i = 0; i < n; ++i) {
        uint32_t* const to = samples.distances.row(static_cast<Eigen::Index>(i)).data() + s * n + first;
        CountXorMany(holdout.Vector(i), VectorsOf(planes[s], first, count), {to, count});
      }
    });
  }
  return samples;
}

}  // namespace genoserve
