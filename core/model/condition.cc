#include "core/model/condition.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace genoserve {

size_t ConditionSize(const v1::Manifest& manifest) {
  size_t size = 0;
  for (const auto& phenotype : manifest.phenotypes()) {
    size += phenotype.has_categorical() ? static_cast<size_t>(phenotype.categorical().levels_size()) : 1;
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
      const auto& continuous = phenotype.continuous();
      if (!std::isnan(value) && continuous.standard_deviation() > 0) {
        condition[place] = static_cast<float>((value - continuous.mean()) / continuous.standard_deviation());
      }
      ++place;
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve
