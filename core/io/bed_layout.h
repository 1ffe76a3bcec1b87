// How genotypes lie in the files that have two bits for each of them.
#pragma once

#include "core/io/cohort_writer.h"
#include "core/io/transposed_part.h"

namespace genoserve {

/// A PLINK 1 .bed.
ColumnLayout BedLayout(const CohortDescription& cohort);

}  // namespace genoserve
