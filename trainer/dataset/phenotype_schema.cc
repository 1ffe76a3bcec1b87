#include "trainer/dataset/phenotype_schema.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "core/base/quantile.h"

namespace genoserve {
namespace {

void FillContinuous(const std::vector<double>& sorted, v1::ContinuousPhenotype& schema) {
  const auto n = static_cast<double>(sorted.size());
  double sum = 0;
  for (const double value : sorted) sum += value;
  const double mean = sum / n;
  double squares = 0;
  for (const double value : sorted) squares += (value - mean) * (value - mean);
  schema.set_mean(mean);
  schema.set_standard_deviation(sorted.size() < 2 ? 0 : std::sqrt(squares / (n - 1)));
  schema.add_quantiles(Quantile(sorted, 0.005));
  for (int percent = 1; percent <= 99; ++percent) schema.add_quantiles(Quantile(sorted, percent / 100.0));
  schema.add_quantiles(Quantile(sorted, 0.995));
  schema.set_minimum(schema.quantiles(0));
  schema.set_maximum(schema.quantiles(schema.quantiles_size() - 1));
}

}  // namespace

absl::StatusOr<v1::PhenotypeSchema> SchemaOf(const PhenotypeColumn& column) {
  v1::PhenotypeSchema schema;
  schema.set_name(column.name);
  std::vector<double> present;
  const std::vector<std::string> levels =
      column.is_continuous() ? std::vector<std::string>() : column.categorical().levels;
  for (const double value : NumbersOf(column, levels)) {
    if (!std::isnan(value)) present.push_back(value);
  }
  if (present.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no sample of the genotypes has a value of phenotype \"%s\"", column.name));
  }
  if (column.is_continuous()) {
    std::sort(present.begin(), present.end());
    FillContinuous(present, *schema.mutable_continuous());
    return schema;
  }
  std::vector<double> counts(levels.size());
  for (const double code : present) ++counts[static_cast<size_t>(code)];
  for (size_t level = 0; level < levels.size(); ++level) {
    schema.mutable_categorical()->add_levels(levels[level]);
    schema.mutable_categorical()->add_frequencies(counts[level] / static_cast<double>(present.size()));
  }
  return schema;
}

}  // namespace genoserve
