// The one check of a field of a generator's spec.
#pragma once

#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// INVALID_ARGUMENT with the field and what is allowed where a value is not from `lowest` to `highest`, or no number.
template <typename Number>
absl::Status CheckSpecField(absl::string_view field, Number value, std::type_identity_t<Number> lowest,
                            std::type_identity_t<Number> highest) {
  if (value >= lowest && value <= highest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("generator spec: ", field, " is ", value, "; it must be ", lowest, " to ", highest));
}

}  // namespace genoserve
