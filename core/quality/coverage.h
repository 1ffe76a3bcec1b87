// Coverage: whether synthetic rows look real, whether all kinds of real rows are among them, and how alike they are.
#pragma once

#include "core/quality/distance_cohorts.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Neighbours whose distance is the radius of a row in precision and recall. It moves the result: more of them make the
/// manifold coarser and both figures higher, so that values are to be read beside the floor, and never beside values
/// of another k or of another n.
inline constexpr size_t kManifoldNeighbours = 5;

/// Adds the figures of CoverageFigures() and the chart distance.pairwise.
///
/// Candidates are compared with the hold-out, row by row. Rows of the own sample are no neighbours and no pairs.
/// Intervals resample samples, with the neighbours of each as they are; those of pairwise distances are of the linear
/// part of the U-statistic (Hoeffding 1948; each sample's mean over all others).
void MeasureCoverage(const DistanceCohorts& cohorts, v1::Quality* quality);

}  // namespace genoserve
