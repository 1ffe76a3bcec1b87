#include "client/cli/pheno_file.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/selection.h"
#include "core/base/status.h"
#include "core/genotype/phenotype_table.h"
#include "core/io/sample_tables.h"

namespace genoserve {
namespace {

const v1::PhenotypeSchema* FindSchema(const v1::Manifest& manifest, const std::string& name) {
  for (const v1::PhenotypeSchema& schema : manifest.phenotypes()) {
    if (schema.name() == name) return &schema;
  }
  return nullptr;
}

absl::Status Missing(const PhenotypeTable& table, size_t sample, const std::string& column) {
  return absl::InvalidArgumentError(absl::StrCat("sample ", table.samples()[sample], " has no ", column));
}

// The column as text, for labels and levels, all of which must be among `known`.
absl::StatusOr<std::vector<std::string>> Texts(const PhenotypeTable& table, const PhenotypeColumn& column,
                                               const std::vector<std::string>& known) {
  std::vector<std::string> texts;
  const CategoricalValues& values = column.categorical();
  for (const std::string& level : values.levels) {
    if (std::find(known.begin(), known.end(), level) != known.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat("column ", column.name, " holds \"", level,
                                                   "\", which the model does not know; it has ",
                                                   absl::StrJoin(known, ", ")));
  }
  for (size_t i = 0; i < values.codes.size(); ++i) {
    if (values.codes[i] < 0) return Missing(table, i, column.name);
    texts.push_back(values.levels[static_cast<size_t>(values.codes[i])]);
  }
  return texts;
}

absl::Status AddColumn(const PhenotypeTable& table, const PhenotypeColumn& column, const v1::Manifest& manifest,
                       bool extrapolate, v1::SampleConditions* conditions) {
  if (column.name == manifest.label_column()) {
    std::vector<std::string> known;
    for (const v1::LabelSchema& label : manifest.labels()) known.push_back(label.name());
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> labels, Texts(table, column, known));
    conditions->mutable_labels()->Assign(labels.begin(), labels.end());
    return absl::OkStatus();
  }
  const v1::PhenotypeSchema* schema = FindSchema(manifest, column.name);
  if (schema == nullptr) {
    std::vector<std::string> known;
    if (!manifest.label_column().empty()) known.push_back(manifest.label_column());
    for (const v1::PhenotypeSchema& phenotype : manifest.phenotypes()) known.push_back(phenotype.name());
    return absl::InvalidArgumentError(absl::StrCat("column ", column.name, " is not one that the model is conditioned ",
                                                   "on: ", known.empty() ? "none" : absl::StrJoin(known, ", ")));
  }
  v1::SamplePhenotype* phenotype = conditions->add_phenotypes();
  phenotype->set_name(column.name);
  if (schema->has_categorical()) {
    const auto& known = schema->categorical().levels();
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> levels,
                               Texts(table, column, {known.begin(), known.end()}));
    phenotype->mutable_levels()->Assign(levels.begin(), levels.end());
    return absl::OkStatus();
  }
  if (!column.is_continuous()) {
    return absl::InvalidArgumentError(absl::StrCat("column ", column.name, " holds text where numbers are due"));
  }
  const std::vector<double>& values = column.continuous().values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) return Missing(table, i, column.name);
    GENOSERVE_RETURN_IF_ERROR(
        Annotate(CheckInRange(*schema, values[i], extrapolate), absl::StrCat("sample ", table.samples()[i])));
  }
  phenotype->mutable_numbers()->Assign(values.begin(), values.end());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::SampleConditions> ReadSampleConditions(const std::string& path, const v1::Manifest& manifest,
                                                          bool extrapolate) {
  GENOSERVE_ASSIGN_OR_RETURN(PhenotypeTable table, ReadPhenotypes(path, {}));
  // Labels and levels that look like numbers are text all the same; which columns those are is known by now.
  std::vector<std::string> text_columns;
  for (const PhenotypeColumn& column : table.columns()) {
    const v1::PhenotypeSchema* schema = FindSchema(manifest, column.name);
    const bool text = column.name == manifest.label_column() || (schema != nullptr && schema->has_categorical());
    if (text && column.is_continuous()) text_columns.push_back(column.name);
  }
  if (!text_columns.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(table, ReadPhenotypes(path, text_columns));
  }
  v1::SampleConditions conditions;
  if (table.columns().empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": has no column but the samples"));
  for (const PhenotypeColumn& column : table.columns()) {
    GENOSERVE_RETURN_IF_ERROR(Annotate(AddColumn(table, column, manifest, extrapolate, &conditions), path));
  }
  return conditions;
}

}  // namespace genoserve
