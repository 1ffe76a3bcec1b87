// The word that a user may have meant.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace genoserve {

/// The candidate with the smallest edit distance (insert, delete, replace, swap of neighbours); empty where even that
/// is further than a third of the word, rounded up, or there are no candidates.
std::string NearestMatch(absl::string_view word, const std::vector<std::string>& candidates);

}  // namespace genoserve
