// What an artifact tells of the phenotypes that its generator was trained on.
#pragma once

#include "absl/status/statusor.h"
#include "core/genotype/phenotype_table.h"
#include "genoserve/v1/types.pb.h"

namespace genoserve {

/// The schema of a column, from the samples that have a value. INVALID_ARGUMENT where none has.
absl::StatusOr<v1::PhenotypeSchema> SchemaOf(const PhenotypeColumn& column);

}  // namespace genoserve
