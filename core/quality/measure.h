// All figures of a synthetic cohort, in one call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Told before each stage, of `stages` in all; a status other than OK stops the measuring with it.
using MeasureProgress = std::function<absl::Status(absl::string_view stage, int done, int stages)>;

/// Equalises the sets (their whole cohorts, labels, phenotypes and seed must be there) and adds the figures and charts
/// of all families to `quality`, with the sizes in its inputs. `families` parts relatives, as EqualiseSets says. Errors
/// are those of EqualiseSets and of the progress.
absl::Status MeasureQuality(const std::vector<int>& families, QualitySets* sets, const MeasureProgress& progress,
                            v1::Quality* quality);

/// The figures that tell within seconds how far a generator has come and whether it has begun to copy: frequencies,
/// linkage, coverage, closest records and membership attacks, of all samples together. Without the figures of single
/// labels, and without charts. The values of the synthetic cohort are those of MeasureQuality for the same sets. Errors
/// are the same.
absl::Status MeasureDecisive(const std::vector<int>& families, QualitySets* sets, const MeasureProgress& progress,
                             v1::Quality* quality);

}  // namespace genoserve
