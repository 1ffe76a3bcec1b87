#include "core/quality/distances.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/kernels/bits.h"

namespace genoserve {
namespace {

// Rows of `from` that one piece of work takes, and the bytes of rows of `to` that they go over together: what the
// second-level cache holds.
constexpr size_t kRowsPerBlock = 16;
constexpr size_t kTileBytes = size_t{128} * 1024;

// Whether (distance, row) comes first.
bool Nearer(const Neighbour& a, const Neighbour& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
}

}  // namespace

void VisitDistances(const BitPlanes& from, const BitPlanes& to,
                    absl::FunctionRef<void(size_t row, std::span<const uint32_t> distances)> visit) {
  const size_t columns = to.vectors();
  const size_t words = columns == 0 ? 0 : to.Vector(0).size();
  const size_t tile = std::max<size_t>(4, kTileBytes / (8 * std::max<size_t>(1, words)));
  const size_t blocks = (from.vectors() + kRowsPerBlock - 1) / kRowsPerBlock;
  ParallelFor(blocks, [&](size_t block) {
    const size_t first = block * kRowsPerBlock;
    const size_t rows = std::min(kRowsPerBlock, from.vectors() - first);
    std::vector<uint32_t> distances(rows * columns);
    for (size_t start = 0; start < columns; start += tile) {
      const size_t count = std::min(tile, columns - start);
      // Vectors stand one after another, so that a tile is one span.
      const std::span<const uint64_t> many(to.Vector(start).data(), count * words);
      for (size_t row = 0; row < rows; ++row) {
        CountXorMany(from.Vector(first + row), many, std::span(distances).subspan(row * columns + start, count));
      }
    }
    for (size_t row = 0; row < rows; ++row) {
      visit(first + row, std::span<const uint32_t>(distances).subspan(row * columns, columns));
    }
  });
}

void SmallestDistances(std::span<const uint32_t> distances, size_t left_out, size_t left_out_count,
                       std::span<Neighbour> nearest) {
  size_t found = 0;
  const auto look_at = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      // Rows come in ascending order, so that an equally near one never goes before those that were found.
      if (found == nearest.size() && distances[i] >= nearest.back().distance) continue;
      const Neighbour neighbour{static_cast<uint32_t>(i), distances[i]};
      size_t place = found < nearest.size() ? found++ : found - 1;
      for (; place > 0 && Nearer(neighbour, nearest[place - 1]); --place) nearest[place] = nearest[place - 1];
      nearest[place] = neighbour;
    }
  };
  look_at(0, left_out);
  look_at(left_out + left_out_count, distances.size());
}

Neighbours NearestAmong(const BitPlanes& from, const BitPlanes& to, size_t k) {
  Neighbours neighbours{k, std::vector<Neighbour>(from.vectors() * k)};
  VisitDistances(from, to, [&](size_t row, std::span<const uint32_t> distances) {
    SmallestDistances(distances, distances.size(), 0, std::span(neighbours.nearest).subspan(row * k, k));
  });
  return neighbours;
}

Neighbours NearestOthers(const BitPlanes& set, size_t rows_per_sample, size_t k) {
  Neighbours neighbours{k, std::vector<Neighbour>(set.vectors() * k)};
  VisitDistances(set, set, [&](size_t row, std::span<const uint32_t> distances) {
    SmallestDistances(distances, row / rows_per_sample * rows_per_sample, rows_per_sample,
                      std::span(neighbours.nearest).subspan(row * k, k));
  });
  return neighbours;
}

}  // namespace genoserve
