// A comparison of a synthetic cohort with the real one, for people and for programs.
#pragma once

#include <string>

#include "core/quality/cohort_comparison.h"

namespace genoserve {

/// A table of allele-frequency agreement, a line a group, then a line on LD and two on identical rows. `group_title` is
/// the heading of the groups, such as "super_pop".
std::string ComparisonTable(const CohortComparison& comparison, const std::string& group_title);

/// The same as a JSON object with the keys allele_frequencies, neighbour_r2 and rows, in one line and a newline. What
/// is not a number is null.
std::string ComparisonJson(const CohortComparison& comparison);

}  // namespace genoserve
