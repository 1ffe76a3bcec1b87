#include "core/quality/duplicates.h"

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

using RowCounts = absl::flat_hash_map<absl::string_view, size_t>;

absl::string_view RowKey(const GenotypeMatrix& genotypes, size_t row) {
  const std::span<const uint8_t> bytes = genotypes.Row(row);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

RowCounts CountRows(const GenotypeMatrix& genotypes) {
  RowCounts counts;
  counts.reserve(genotypes.rows());
  for (size_t row = 0; row < genotypes.rows(); ++row) ++counts[RowKey(genotypes, row)];
  return counts;
}

size_t Repeated(const RowCounts& counts) {
  size_t repeated = 0;
  for (const auto& [row, count] : counts) repeated += count > 1 ? count : 0;
  return repeated;
}

}  // namespace

Duplicates CountDuplicates(const GenotypeMatrix& real, const GenotypeMatrix& synthetic) {
  const RowCounts real_rows = CountRows(real);
  const RowCounts synthetic_rows = CountRows(synthetic);
  Duplicates duplicates;
  duplicates.rows = synthetic.rows();
  duplicates.real_rows = real.rows();
  duplicates.repeated = Repeated(synthetic_rows);
  duplicates.repeated_in_real = Repeated(real_rows);
  for (const auto& [row, count] : synthetic_rows) duplicates.found_in_real += real_rows.contains(row) ? count : 0;
  return duplicates;
}

}  // namespace genoserve
