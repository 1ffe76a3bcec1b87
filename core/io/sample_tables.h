// Readers and writers of the tab-separated tables that stand beside genotypes: panels and phenotypes.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/panel.h"
#include "core/genotype/phenotype_table.h"

namespace genoserve {

/// Reads a panel: a header line, then one line a sample; tabs, or runs of spaces where there is no tab. The sample
/// column is the one named sample, "Sample name", IID or #IID, else the first. INVALID_ARGUMENT with file and line
/// where a line has another number of columns, a sample comes twice, or there are no samples.
absl::StatusOr<Panel> ReadPanel(const std::string& path);

/// Reads phenotypes in the same form (first column IID, #IID or "FID IID"); see PhenotypeTable::Create for types.
absl::StatusOr<PhenotypeTable> ReadPhenotypes(const std::string& path, const std::vector<std::string>& categorical);

}  // namespace genoserve
