// Small matrices for the tests of this room.
#pragma once

#include <cstdint>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"

namespace genoserve {

/// A matrix with these codes, row by row.
inline GenotypeMatrix MatrixOf(Packing packing, const std::vector<std::vector<uint8_t>>& rows) {
  GenotypeMatrix genotypes(packing, rows.size(), rows.front().size());
  for (size_t row = 0; row < rows.size(); ++row) genotypes.PackRow(row, rows[row]);
  return genotypes;
}

inline GenotypeMatrix Diploid(const std::vector<std::vector<uint8_t>>& rows) {
  return MatrixOf(Packing::kDiploid2Bit, rows);
}

inline GenotypeMatrix Haplotypes(const std::vector<std::vector<uint8_t>>& rows) {
  return MatrixOf(Packing::kHaplotype1Bit, rows);
}

/// Variants at positions 1, 2, ... of these contigs.
inline VariantTable VariantsOn(const std::vector<std::string>& contigs) {
  std::vector<VariantRecord> variants;
  variants.reserve(contigs.size());
  for (const std::string& contig : contigs) {
    variants.push_back({contig, static_cast<int64_t>(variants.size() + 1), "", "A", "C"});
  }
  return VariantTable::Create(std::move(variants), {}).value();
}

}  // namespace genoserve
