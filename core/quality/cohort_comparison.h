// A synthetic cohort beside the real one: all measures in one place, for the manifest and for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
#include "core/quality/agreement.h"
#include "core/quality/duplicates.h"
#include "core/quality/linkage.h"

namespace genoserve {

/// A part of the samples that is compared by itself, such as those of one population label. A sample may be in several
/// groups or in none.
struct SampleGroup {
  std::string name;
  std::vector<size_t> real;       ///< indices of its real samples
  std::vector<size_t> synthetic;  ///< indices of its synthetic samples
};

/// Agreement of the allele frequencies of one group, or of all samples.
struct FrequencyAgreement {
  std::string group;  ///< empty = all samples
  size_t real_samples = 0;
  size_t synthetic_samples = 0;
  Agreement agreement;  ///< pairs = variants
};

/// What a comparison tells.
struct CohortComparison {
  std::vector<FrequencyAgreement> frequencies;  ///< all samples first, then the groups in their order
  NeighbourLinkage linkage;
  Duplicates duplicates;
};

/// Compares two sets of the same variants. Where their packings differ, both are compared as diploid genotypes.
/// INVALID_ARGUMENT where a set has no sample, or not these variants.
absl::StatusOr<CohortComparison> CompareCohorts(const GenotypeMatrix& real, const GenotypeMatrix& synthetic,
                                                const VariantTable& variants, const std::vector<SampleGroup>& groups);

}  // namespace genoserve
