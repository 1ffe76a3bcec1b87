#include "core/quality/cohort_comparison.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "core/quality/allele_frequency.h"

namespace genoserve {
namespace {

absl::Status CheckSet(const GenotypeMatrix& genotypes, const VariantTable& variants, const char* what) {
  if (genotypes.samples() == 0) return absl::InvalidArgumentError(absl::StrFormat("there are no %s samples", what));
  if (genotypes.variants() == variants.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("the %s genotypes have %d variants, not %d", what, genotypes.variants(), variants.size()));
}

}  // namespace

absl::StatusOr<CohortComparison> CompareCohorts(const GenotypeMatrix& real, const GenotypeMatrix& synthetic,
                                                const VariantTable& variants, const std::vector<SampleGroup>& groups) {
  if (absl::Status status = CheckSet(real, variants, "real"); !status.ok()) return status;
  if (absl::Status status = CheckSet(synthetic, variants, "synthetic"); !status.ok()) return status;
  if (real.packing() != synthetic.packing()) {
    return CompareCohorts(real.ToDiploid(), synthetic.ToDiploid(), variants, groups);
  }
  CohortComparison comparison;
  comparison.frequencies.push_back(
      {"", real.samples(), synthetic.samples(), Compare(AlleleFrequencies(real), AlleleFrequencies(synthetic))});
  for (const SampleGroup& group : groups) {
    comparison.frequencies.push_back(
        {group.name, group.real.size(), group.synthetic.size(),
         Compare(AlleleFrequencies(real, group.real), AlleleFrequencies(synthetic, group.synthetic))});
  }
  comparison.linkage = CompareNeighbourLinkage(real, synthetic, variants);
  comparison.duplicates = CountDuplicates(real, synthetic);
  return comparison;
}

}  // namespace genoserve
