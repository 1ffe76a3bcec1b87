// What rounding does to the rows of a network.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/generator.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Compares the rows of two generators of one manifest for the same samples. Their number, 1,024 rows at most, and that
/// of the blocks of variants, spread over the row, are such that one thread needs about a second.
absl::StatusOr<PrecisionEffect> MeasurePrecision(const v1::Manifest& manifest, const GeneratorShape& shape,
                                                 const Generator& exact, const Generator& rounded);

/// FAILED_PRECONDITION, with figures and bounds, where the effect of a precision is above a bound.
absl::Status CheckPrecision(const PrecisionEffect& effect, Precision precision);

}  // namespace genoserve
