#include "core/quality/measure.h"

#include <span>

#include "core/base/status.h"
#include "core/quality/families.h"
#include "core/quality/quality_json.h"

namespace genoserve {
namespace {

struct Stage {
  const char* name;
  void (*measure)(const QualitySets&, v1::Quality*);
};

constexpr Stage kStages[] = {
    {"frequencies", MeasureFrequencies}, {"linkage", MeasureLinkage}, {"structure", MeasureStructure},
    {"distances", MeasureDistances},     {"attacks", MeasureAttacks}, {"use", MeasureUse},
};

constexpr Stage kDecisiveStages[] = {
    {"frequencies", MeasureFrequencies},
    {"linkage", MeasureLinkage},
    {"distances", MeasureDistances},
    {"membership", MeasureMembershipAttacks},
};

void Describe(const QualitySets& sets, v1::Quality* quality) {
  quality->set_format_version(kQualityFormatVersion);
  v1::QualityInputs& inputs = *quality->mutable_inputs();
  inputs.set_variants(static_cast<int64_t>(sets.variants.size()));
  inputs.set_phased(sets.packing() == Packing::kHaplotype1Bit);
  inputs.set_samples_compared(static_cast<int64_t>(sets.n()));
  inputs.set_seed(sets.seed);
  inputs.mutable_labels()->Assign(sets.labels.begin(), sets.labels.end());
  for (const PhenotypeKind& phenotype : sets.phenotypes) inputs.add_phenotypes(phenotype.name);
}

absl::Status Measure(std::span<const Stage> stages, const QualitySets& sets, const MeasureProgress& progress,
                     v1::Quality* quality) {
  int done = 0;
  for (const Stage& stage : stages) {
    GENOSERVE_RETURN_IF_ERROR(progress(stage.name, done++, static_cast<int>(stages.size())));
    stage.measure(sets, quality);
  }
  return progress("done", done, done);
}

}  // namespace

absl::Status MeasureQuality(const std::vector<int>& families, QualitySets* sets, const MeasureProgress& progress,
                            v1::Quality* quality) {
  GENOSERVE_RETURN_IF_ERROR(EqualiseSets(families, sets));
  Describe(*sets, quality);
  return Measure(kStages, *sets, progress, quality);
}

absl::Status MeasureDecisive(const std::vector<int>& families, QualitySets* sets, const MeasureProgress& progress,
                             v1::Quality* quality) {
  GENOSERVE_RETURN_IF_ERROR(EqualiseSets(families, sets));
  Describe(*sets, quality);
  // Sets without labels have no figures by label. The whole cohorts keep theirs, which weigh their samples.
  sets->labels.clear();
  for (Cohort* cohort : {&sets->members, &sets->holdout, &sets->reference}) cohort->labels.clear();
  for (Cohort& cohort : sets->candidates) cohort.labels.clear();
  GENOSERVE_RETURN_IF_ERROR(Measure(kDecisiveStages, *sets, progress, quality));
  quality->clear_charts();
  return absl::OkStatus();
}

}  // namespace genoserve
