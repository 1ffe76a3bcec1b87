// The first part of the page, for people who are no statisticians.
#pragma once

#include <string>
#include <vector>

#include "core/quality/report/figure_groups.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// What a family asks of a cohort, in one question.
absl::string_view FamilyQuestion(Family family);

/// The outcome of the gate, one card a family, what was compared and how verdicts are made, as HTML. `groups` are those
/// of `quality`.
std::string SummaryHtml(const v1::Quality& quality, const std::vector<FigureGroup>& groups);

/// The id of the section of a group.
std::string SectionId(const FigureGroup& group);

}  // namespace genoserve
