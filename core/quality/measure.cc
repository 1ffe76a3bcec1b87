#include "core/quality/measure.h"

#include <iterator>

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

}  // namespace

absl::Status MeasureQuality(const std::vector<int>& families, QualitySets* sets, const MeasureProgress& progress,
                            v1::Quality* quality) {
  GENOSERVE_RETURN_IF_ERROR(EqualiseSets(families, sets));
  quality->set_format_version(kQualityFormatVersion);
  v1::QualityInputs& inputs = *quality->mutable_inputs();
  inputs.set_variants(static_cast<int64_t>(sets->variants.size()));
  inputs.set_phased(sets->packing() == Packing::kHaplotype1Bit);
  inputs.set_samples_compared(static_cast<int64_t>(sets->n()));
  inputs.set_seed(sets->seed);
  inputs.mutable_labels()->Assign(sets->labels.begin(), sets->labels.end());
  for (const PhenotypeKind& phenotype : sets->phenotypes) inputs.add_phenotypes(phenotype.name);
  int done = 0;
  for (const Stage& stage : kStages) {
    GENOSERVE_RETURN_IF_ERROR(progress(stage.name, done++, static_cast<int>(std::size(kStages))));
    stage.measure(*sets, quality);
  }
  return progress("done", done, done);
}

}  // namespace genoserve
