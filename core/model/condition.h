// How the phenotypes of a sample become the condition of a network: the same in training and in serving.
#pragma once

#include <cstddef>
#include <span>

#include "absl/status/status.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Width of the condition of a manifest's phenotypes: one a continuous phenotype, two where it has a presence input,
/// and one a level of a categorical one.
size_t ConditionSize(const v1::Manifest& manifest);

/// Encodes one sample. `values` has one value a phenotype, in its unit or as the index of a level, NaN = missing;
/// `condition` has ConditionSize() places. A continuous value, or its logarithm where the schema has a log scale,
/// becomes (value - mean) / standard deviation, not clamped, and 0 where it is missing or the standard deviation is 0;
/// a presence input follows it, 1 where there is a value and 0 where it is missing. A level becomes a one-hot, all 0
/// where it is missing. The same bits on every machine. INVALID_ARGUMENT, with the phenotype, for another number of
/// values, an infinite one, one that is not above 0 on a log scale, or an index of no level.
absl::Status EncodeCondition(const v1::Manifest& manifest, std::span<const double> values, std::span<float> condition);

}  // namespace genoserve
