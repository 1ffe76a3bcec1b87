#include "core/model/condition.h"

#include <algorithm>
#include <cmath>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// The natural logarithm of x > 0 by arithmetic alone, since that of the C library differs between machines: x = m 2^e
// with m near 1, and ln m = 2 atanh((m - 1) / (m + 1)) by its series.
double StableLog(double x) {
  constexpr double kLn2 = 0.69314718055994530942;
  constexpr double kSqrtHalf = 0.70710678118654752440;
  constexpr int kTerms = 12;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // from 0.5 to 1
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int k = kTerms; k >= 0; --k) sum = sum * (s * s) + 1.0 / (2 * k + 1);
  return 2 * s * sum + exponent * kLn2;
}

// What the network sees of a value that is there.
absl::StatusOr<float> Standardised(const v1::PhenotypeSchema& phenotype, double value) {
  const v1::ContinuousPhenotype& continuous = phenotype.continuous();
  double mean = continuous.mean();
  double deviation = continuous.standard_deviation();
  if (continuous.has_log()) {
    if (!(value > 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(value, " has no logarithm; values of phenotype ", phenotype.name(), " are above 0"));
    }
    value = StableLog(value);
    mean = continuous.log().mean();
    deviation = continuous.log().standard_deviation();
  }
  return deviation > 0 ? static_cast<float>((value - mean) / deviation) : 0.0F;
}

}  // namespace

size_t ConditionSize(const v1::Manifest& manifest) {
  size_t size = 0;
  for (const auto& phenotype : manifest.phenotypes()) {
    if (phenotype.has_categorical()) {
      size += static_cast<size_t>(phenotype.categorical().levels_size());
    } else {
      size += phenotype.continuous().presence_input() ? 2 : 1;
    }
  }
  return size;
}

absl::Status EncodeCondition(const v1::Manifest& manifest, std::span<const double> values, std::span<float> condition) {
  if (values.size() != static_cast<size_t>(manifest.phenotypes_size())) {
    return absl::InvalidArgumentError(absl::StrCat("a sample has ", values.size(), " phenotype values; the model has ",
                                                   manifest.phenotypes_size(), " phenotypes"));
  }
  std::fill(condition.begin(), condition.end(), 0.0F);
  size_t place = 0;
  for (int i = 0; i < manifest.phenotypes_size(); ++i) {
    const v1::PhenotypeSchema& phenotype = manifest.phenotypes(i);
    const double value = values[static_cast<size_t>(i)];
    if (std::isinf(value)) {
      return absl::InvalidArgumentError(absl::StrCat("the value of phenotype ", phenotype.name(), " is not finite"));
    }
    if (phenotype.has_categorical()) {
      const int levels = phenotype.categorical().levels_size();
      if (!std::isnan(value)) {
        if (value < 0 || value >= levels || value != std::floor(value)) {
          return absl::InvalidArgumentError(absl::StrCat(value, " is not the index of a level of phenotype ",
                                                         phenotype.name(), ", which has ", levels, " levels"));
        }
        condition[place + static_cast<size_t>(value)] = 1.0F;
      }
      place += static_cast<size_t>(levels);
    } else {
      const bool presence_input = phenotype.continuous().presence_input();
      if (!std::isnan(value)) {
        GENOSERVE_ASSIGN_OR_RETURN(condition[place], Standardised(phenotype, value));
        if (presence_input) condition[place + 1] = 1.0F;
      }
      place += presence_input ? 2 : 1;
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve
