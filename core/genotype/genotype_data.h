// Real genotypes as a reader gives them: samples, variants, and the packed matrix.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"

namespace genoserve {

/// The whole of one genotype file. Haplotypes where the file is phased throughout, diploid genotypes otherwise.
struct GenotypeData {
  std::vector<std::string> samples;  ///< unique names, in file order; genotypes.samples() of them
  VariantTable variants;             ///< genotypes.variants() of them
  GenotypeMatrix genotypes;
  int64_t imputed_calls = 0;  ///< missing calls that the reader filled in
};

}  // namespace genoserve
