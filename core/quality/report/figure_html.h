// Figures as HTML.
#pragma once

#include <string>
#include <vector>

#include "core/quality/report/figure_groups.h"
#include "core/quality/report/verdict.h"

namespace genoserve {

/// A typeset number: as FormatNumber, with a minus sign, and a dash where there is none.
std::string NumberHtml(double value, int decimals);

/// The verdict as a word with a sign, so that colour is not needed.
std::string VerdictHtml(Verdict verdict);

/// How many figures have which verdict, such as "24 good, 2 limited"; verdicts that none has are left out.
std::string VerdictCounts(const std::vector<JudgedFigure>& figures);

/// The table of a group, with one table folded into a details element for each kind that has many labels.
std::string FigureTables(const FigureGroup& group);

}  // namespace genoserve
