// What a figure says in one word: whether a cohort is as good as real people, nearer to naive draws, or in between.
#pragma once

#include <span>

#include "absl/strings/string_view.h"
#include "core/quality/catalogue.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// From best to worst; kNone where there is nothing to judge by.
enum class Verdict { kNone, kGood, kLimited, kBad };

/// The verdict on a figure by the rule of VerdictRule(). kNone where value or floor is missing, for figures of
/// privacy of which more is as wrong as less, and for an overlap of hits of which real people have none.
Verdict JudgeFigure(const v1::Figure& figure, const FigureInfo& info);

/// The verdict on a family of figures. Privacy is bad where one figure is, and good where at most a tenth of those with
/// a verdict are limited; any other family is good where none is bad and at least three quarters are good, bad where
/// more are bad than good. kNone where no figure has one.
Verdict JudgeFamily(Family family, std::span<const Verdict> figures);

/// The verdict on a figure of all samples, given those on it by label: what is limited or bad for more than half of the
/// labels that have a verdict is so for all. kNone stays.
Verdict WithLabels(Verdict overall, std::span<const Verdict> labels);

/// The rules of JudgeFigure, WithLabels and JudgeFamily for people, one paragraph each.
std::span<const absl::string_view> VerdictRule();

/// "good", "limited", "bad" or "no verdict".
absl::string_view VerdictName(Verdict verdict);

}  // namespace genoserve
