// How the phenotypes of a sample become the condition of a network: the same in training and in serving.
#pragma once

#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Width of the condition of a manifest's phenotypes: one a continuous phenotype, one a level of a categorical one.
size_t ConditionSize(const v1::Manifest& manifest);

/// Encodes one sample. `values` has one value a phenotype, in its unit or as the index of a level, NaN = missing;
/// `condition` has ConditionSize() places. A continuous value becomes (value - mean) / standard deviation, not clamped,
/// and 0 where it is missing or the standard deviation is 0; a level becomes a one-hot, all 0 where it is missing.
/// INVALID_ARGUMENT, with the phenotype, for another number of values, an infinite one, or an index of no level.
absl::Status EncodeCondition(const v1::Manifest& manifest, std::span<const double> values, std::span<float> condition);

}  // namespace genoserve
