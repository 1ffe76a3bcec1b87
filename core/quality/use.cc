#include "core/quality/use.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/quality/families.h"
#include "core/quality/measurement.h"

namespace genoserve {

std::string WhyUnusable(const std::vector<double>& values, absl::string_view name, absl::string_view whose) {
  size_t known = 0;
  double least = 0;
  double most = 0;
  for (const double value : values) {
    if (std::isnan(value)) continue;
    least = known == 0 ? value : std::min(least, value);
    most = known == 0 ? value : std::max(most, value);
    ++known;
  }
  if (known == 0) return absl::StrFormat("Phenotype %s is not known of %s.", name, whose);
  if (known < kFewestPhenotyped) {
    return absl::StrFormat("Phenotype %s is known of %d of %s; %d are needed.", name, known, whose, kFewestPhenotyped);
  }
  if (least == most) return absl::StrFormat("Phenotype %s is constant in %s.", name, whose);
  return "";
}

absl::string_view NameOf(UseSet set) {
  switch (set) {
    case UseSet::kSynthetic:
      return "the synthetic samples";
    case UseSet::kFloor:
      return "the training samples of the floor";
    case UseSet::kNaive:
      return "the naive samples";
    case UseSet::kMembers:
      return "the training samples";
    case UseSet::kHoldout:
      return "the hold-out samples";
  }
  return "";
}

void MeasureUse(const QualitySets& sets, v1::Quality* quality) {
  const UseSamples samples = MakeUseSamples(sets);
  if (samples.n < sets.n()) {
    quality->mutable_inputs()->add_notes(absl::StrCat("Classifiers and predictors were fitted to ", samples.n, " of ",
                                                      sets.n(), " samples of each set."));
  }
  AddLabelFigures(sets, samples, quality);
  if (sets.phenotypes.empty()) {
    constexpr absl::string_view kReason = "The cohorts have no phenotypes.";
    for (const absl::string_view name : {"use.request_r", "use.request_recovered", "use.pheno_r", "use.pheno_r2",
                                         "use.pheno_auc", "gwas.beta_r", "gwas.hit_overlap", "gwas.lambda_gc"}) {
      AddMissingFigure(name, "", kReason, quality);
    }
    return;
  }
  if (sets.phenotypes.size() > kMostPhenotypes) {
    quality->mutable_inputs()->add_notes(absl::StrCat("Prediction and association were measured of the first ",
                                                      kMostPhenotypes, " of ", sets.phenotypes.size(), " phenotypes."));
  }
  for (size_t p = 0; p < std::min(kMostPhenotypes, sets.phenotypes.size()); ++p) {
    AddPhenotypeFigures(sets, samples, p, quality);
  }
  AddAssociationFigures(sets, quality);
}

}  // namespace genoserve
