// What an artifact tells of the phenotypes that its generator was trained on.
#pragma once

#include "absl/status/statusor.h"
#include "core/genotype/phenotype_table.h"
#include "genoserve/v1/types.pb.h"

namespace genoserve {

/// The schema of a column, from the samples that have a value. A continuous column with missing values gets a presence
/// input, and a log scale where `log` asks for it. INVALID_ARGUMENT where no sample has a value, and for a log scale of
/// levels or of a value that is not above 0.
absl::StatusOr<v1::PhenotypeSchema> SchemaOf(const PhenotypeColumn& column, bool log);

}  // namespace genoserve
