#include "core/quality/duplicates.h"

#include <algorithm>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "core/base/parallel.h"

namespace genoserve {
namespace {

// Packed genotypes from byte `first` on. Equal bytes are equal genotypes, as padding is 0.
absl::string_view Key(const GenotypeMatrix& genotypes, size_t row, size_t first, size_t count) {
  const std::span<const uint8_t> bytes = genotypes.Row(row).subspan(first, count);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// For each row, 1 where a row of `among` has the same bytes.
template <class Found>
void FindBytes(const GenotypeMatrix& rows, const GenotypeMatrix& among, size_t first, size_t count, Found* found) {
  absl::flat_hash_set<absl::string_view> known;
  known.reserve(among.rows());
  for (size_t row = 0; row < among.rows(); ++row) known.insert(Key(among, row, first, count));
  for (size_t row = 0; row < rows.rows(); ++row) found[row] = known.contains(Key(rows, row, first, count)) ? 1 : 0;
}

}  // namespace

std::vector<double> FoundAmong(const GenotypeMatrix& rows, const GenotypeMatrix& among) {
  std::vector<double> found(rows.rows());
  FindBytes(rows, among, 0, rows.row_bytes(), found.data());
  return found;
}

std::vector<double> Repeated(const GenotypeMatrix& rows) {
  const size_t per_sample = RowsPerSample(rows.packing());
  struct Holders {
    size_t first_sample = 0;
    bool more = false;  // whether another sample has the row too
  };
  absl::flat_hash_map<absl::string_view, Holders> holders;
  holders.reserve(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    Holders& of_key =
        holders.try_emplace(Key(rows, row, 0, rows.row_bytes()), Holders{row / per_sample, false}).first->second;
    of_key.more = of_key.more || of_key.first_sample != row / per_sample;
  }
  std::vector<double> repeated(rows.rows());
  for (size_t row = 0; row < rows.rows(); ++row) {
    repeated[row] = holders.find(Key(rows, row, 0, rows.row_bytes()))->second.more ? 1 : 0;
  }
  return repeated;
}

size_t WindowWidth(size_t variants) { return variants < 2000 ? 40 : 200; }

size_t WindowCount(size_t variants) { return std::max<size_t>(1, variants / WindowWidth(variants)); }

std::vector<double> WindowsFoundAmong(const GenotypeMatrix& rows, const GenotypeMatrix& among) {
  const size_t windows = WindowCount(rows.variants());
  // Both widths are multiples of 8, so that windows start on bytes.
  const size_t bytes = std::min(rows.row_bytes(), RowBytes(rows.packing(), WindowWidth(rows.variants())));
  std::vector<uint8_t> found(windows * rows.rows());
  ParallelFor(windows, [&](size_t window) {
    FindBytes(rows, among, window * bytes, bytes, found.data() + window * rows.rows());
  });
  std::vector<double> shares(rows.rows());
  for (size_t i = 0; i < found.size(); ++i) shares[i % rows.rows()] += found[i];
  for (double& share : shares) share /= static_cast<double>(windows);
  return shares;
}

}  // namespace genoserve
