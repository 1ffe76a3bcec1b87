// What all stores have in common: how numbers of versions are written.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace genoserve {

/// The version that the name of a folder stands for: a positive number in its shortest form; 0 for every other name.
int64_t ParseVersion(absl::string_view name);

/// In the names of files that are not yet what they are to be.
inline constexpr absl::string_view kTemporaryMark = ".tmp-";

/// Publishers of one model that may be faster between the look at the versions and the claim of one.
inline constexpr int kMaxClaims = 1000;

}  // namespace genoserve
