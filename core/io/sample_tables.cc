#include "core/io/sample_tables.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/text_table.h"

namespace genoserve {

absl::StatusOr<Panel> ReadPanel(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(TextTable table, ReadTextTable(path));
  const auto at = static_cast<ptrdiff_t>(table.sample_column);
  // The sample comes first in Panel's rows; the other columns keep their order.
  for (std::vector<std::string>& row : table.rows) std::rotate(row.begin(), row.begin() + at, row.begin() + at + 1);
  table.columns.erase(table.columns.begin() + at);
  absl::StatusOr<Panel> panel = Panel::Create(std::move(table.columns), std::move(table.rows));
  if (!panel.ok()) return Annotate(panel.status(), path);
  return panel;
}

absl::StatusOr<PhenotypeTable> ReadPhenotypes(const std::string& path, const std::vector<std::string>& categorical) {
  GENOSERVE_ASSIGN_OR_RETURN(TextTable table, ReadTextTable(path));
  std::vector<std::string> samples;
  for (std::vector<std::string>& row : table.rows) samples.push_back(std::move(row[table.sample_column]));
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> cells;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    // A family name is part of the sample's name in PLINK files, not a phenotype.
    if (c == table.sample_column || (c == 0 && absl::EqualsIgnoreCase(table.columns[c], "FID"))) continue;
    columns.push_back(std::move(table.columns[c]));
    std::vector<std::string>& column = cells.emplace_back();
    for (std::vector<std::string>& row : table.rows) column.push_back(std::move(row[c]));
  }
  if (columns.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": has no phenotype beside the column of samples"));
  }
  absl::StatusOr<PhenotypeTable> phenotypes =
      PhenotypeTable::Create(std::move(samples), std::move(columns), cells, categorical);
  if (!phenotypes.ok()) return Annotate(phenotypes.status(), path);
  return phenotypes;
}

}  // namespace genoserve
