#include "core/quality/coverage.h"
#include "core/quality/distance_cohorts.h"
#include "core/quality/families.h"
#include "core/quality/nearest_privacy.h"

namespace genoserve {

void MeasureDistances(const QualitySets& sets, v1::Quality* quality) {
  const DistanceCohorts cohorts = DistanceCohorts::Of(sets);
  MeasureCoverage(cohorts, quality);
  MeasureNearestPrivacy(sets, cohorts, quality);
}

}  // namespace genoserve
