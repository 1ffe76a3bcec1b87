#include "trainer/dataset/phenotype_schema.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "core/base/quantile.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// Sets mean and standard deviation of a message that has them.
template <typename Message>
void SetMoments(const std::vector<double>& values, Message& message) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  message.set_mean(mean);
  message.set_standard_deviation(values.size() < 2 ? 0 : std::sqrt(squares / (n - 1)));
}

void FillContinuous(const std::vector<double>& sorted, v1::ContinuousPhenotype& schema) {
  SetMoments(sorted, schema);
  schema.add_quantiles(Quantile(sorted, 0.005));
  for (int percent = 1; percent <= 99; ++percent) schema.add_quantiles(Quantile(sorted, percent / 100.0));
  schema.add_quantiles(Quantile(sorted, 0.995));
  schema.set_minimum(schema.quantiles(0));
  schema.set_maximum(schema.quantiles(schema.quantiles_size() - 1));
}

absl::Status SetLogScale(const std::string& name, std::vector<double> sorted, v1::ContinuousPhenotype& schema) {
  if (!(sorted.front() > 0)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("phenotype \"%s\" has the value %g, which has no logarithm; a log scale takes values above 0",
                        name, sorted.front()));
  }
  for (double& value : sorted) value = std::log(value);
  SetMoments(sorted, *schema.mutable_log());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::PhenotypeSchema> SchemaOf(const PhenotypeColumn& column, bool log) {
  v1::PhenotypeSchema schema;
  schema.set_name(column.name);
  std::vector<double> present;
  const std::vector<std::string> levels =
      column.is_continuous() ? std::vector<std::string>() : column.categorical().levels;
  const std::vector<double> numbers = NumbersOf(column, levels);
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(present),
               [](double value) { return !std::isnan(value); });
  if (present.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no sample of the genotypes has a value of phenotype \"%s\"", column.name));
  }
  if (column.is_continuous()) {
    std::sort(present.begin(), present.end());
    FillContinuous(present, *schema.mutable_continuous());
    if (present.size() < numbers.size()) schema.mutable_continuous()->set_presence_input(true);
    if (log) GENOSERVE_RETURN_IF_ERROR(SetLogScale(column.name, std::move(present), *schema.mutable_continuous()));
    return schema;
  }
  if (log) {
    return absl::InvalidArgumentError(
        absl::StrFormat("phenotype \"%s\" has levels, and a log scale takes numbers", column.name));
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
