// What an artifact tells of the phenotypes that its generator was trained on.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/phenotype_table.h"
#include "genoserve/v1/types.pb.h"

namespace genoserve {

/// The quantile `p` (0 to 1) of ascending numbers by linear interpolation between order statistics: definition 7 of
/// Hyndman and Fan (1996), at (n - 1) p. At least one number.
double Quantile(std::span<const double> sorted, double p);

/// The schema of a column, from the samples that have a value. INVALID_ARGUMENT where none has.
absl::StatusOr<v1::PhenotypeSchema> SchemaOf(const PhenotypeColumn& column);

}  // namespace genoserve
