// The part of privacy that is read off closest records: whether a cohort lies nearer to the people a generator was
// trained on than to people it never saw, and whether it repeats them.
#pragma once

#include <span>

#include "core/quality/catalogue.h"
#include "core/quality/distance_cohorts.h"
#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// The figures of MeasureNearestPrivacy, of Family::kPrivacy.
std::span<const FigureInfo> NearestPrivacyFigures();

/// Adds the figures of NearestPrivacyFigures() and the chart distance.closest.
///
/// Rows of the equalised cohorts, but for privacy.identical_training and privacy.near_training: all synthetic rows (of
/// the latter, at most kMostRows) against the whole training, whose floor is the whole hold-out, as the floor's own
/// samples are training samples. Within a cohort, the closest row
/// is one of another sample. Intervals resample samples, with the closest rows of each as they are.
void MeasureNearestPrivacy(const QualitySets& sets, const DistanceCohorts& cohorts, v1::Quality* quality);

}  // namespace genoserve
