#include "core/quality/report/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace genoserve {
namespace {

// Shares of the way from the floor to the naive draws.
constexpr double kGoodShare = 0.25;
constexpr double kOverlapShare = 0.5;
constexpr double kBadShare = 0.75;

struct Estimate {
  double value;
  double low;
  double high;
};

Estimate OfValue(const v1::Figure& figure) {
  return {figure.value(), figure.has_low() ? figure.low() : figure.value(),
          figure.has_high() ? figure.high() : figure.value()};
}

// A reference whose interval was never set has zeros there.
Estimate OfReference(const v1::Reference& reference) {
  if (reference.low() > reference.value() || reference.high() < reference.value()) {
    return {reference.value(), reference.value(), reference.value()};
  }
  return {reference.value(), reference.low(), reference.high()};
}

// How far the intervals lie apart; at most 0 where they overlap.
double Separation(const Estimate& a, const Estimate& b) { return std::max(a.low - b.high, b.low - a.high); }

// How much worse than the floor.
double Worse(const Estimate& other, const Estimate& floor, Better better) {
  const double difference = other.value - floor.value;
  switch (better) {
    case Better::kHigher:
      return -difference;
    case Better::kLower:
      return difference;
    case Better::kNearFloor:
      return std::abs(difference);
  }
  return difference;
}

}  // namespace

Verdict JudgeFigure(const v1::Figure& figure, const FigureInfo& info) {
  const Better better = info.better;
  if (info.family == Family::kPrivacy && better == Better::kNearFloor) return Verdict::kNone;
  if (!figure.has_value() || !figure.has_floor()) return Verdict::kNone;
  // Real people who agree in nothing are no yardstick of agreement.
  if (info.name == "gwas.hit_overlap" && figure.floor().value() == 0) return Verdict::kNone;
  const Estimate value = OfValue(figure);
  const Estimate floor = OfReference(figure.floor());
  if (!std::isfinite(value.value) || !std::isfinite(floor.value)) return Verdict::kNone;
  const double gap = Worse(value, floor, better);
  if (gap <= 0) return Verdict::kGood;
  const double separation = Separation(value, floor);

  // Naive draws give nobody away: near them is no fault of privacy.
  if (info.family != Family::kPrivacy && figure.has_naive() && std::isfinite(figure.naive().value())) {
    const Estimate naive = OfReference(figure.naive());
    const double span = Worse(naive, floor, better);
    if (span > 0 && Separation(naive, floor) > 0) {
      const double share = gap / span;
      if (share <= kGoodShare || (separation <= 0 && share <= kOverlapShare)) return Verdict::kGood;
      return share >= kBadShare && separation > 0 ? Verdict::kBad : Verdict::kLimited;
    }
  }
  if (separation <= 0) return Verdict::kGood;
  // A gate that set a limit of privacy has said how much more than the floor is still private.
  const bool kept = info.family == Family::kPrivacy && (figure.has_minimum() || figure.has_maximum()) &&
                    (!figure.has_minimum() || value.high >= figure.minimum()) &&
                    (!figure.has_maximum() || value.low <= figure.maximum());
  return kept || separation <= floor.high - floor.low ? Verdict::kLimited : Verdict::kBad;
}

Verdict JudgeFamily(Family family, std::span<const Verdict> figures) {
  if (std::ranges::all_of(figures, [](Verdict v) { return v == Verdict::kNone; })) return Verdict::kNone;
  const auto good = std::ranges::count(figures, Verdict::kGood);
  const auto limited = std::ranges::count(figures, Verdict::kLimited);
  const auto bad = std::ranges::count(figures, Verdict::kBad);
  if (family == Family::kPrivacy) {
    if (bad > 0) return Verdict::kBad;
    return 10 * limited <= good + limited ? Verdict::kGood : Verdict::kLimited;
  }
  if (bad == 0 && good >= 3 * limited) return Verdict::kGood;
  return bad > good ? Verdict::kBad : Verdict::kLimited;
}

Verdict WithLabels(Verdict overall, std::span<const Verdict> labels) {
  if (overall == Verdict::kNone) return overall;
  const auto judged = std::ranges::count_if(labels, [](Verdict v) { return v != Verdict::kNone; });
  const auto at_least = [&](Verdict least) {
    return 2 * std::ranges::count_if(labels, [least](Verdict v) { return v >= least; }) > judged;
  };
  if (at_least(Verdict::kBad)) return Verdict::kBad;
  return at_least(Verdict::kLimited) ? std::max(overall, Verdict::kLimited) : overall;
}

std::span<const absl::string_view> VerdictRule() {
  static constexpr std::array<absl::string_view, 5> kRule = {
      "A figure is good where it is no worse than that of real people, or at most a quarter of the way from real "
      "people to naive draws; up to half of the way where its 95 % interval overlaps that of real people. It is bad "
      "from three quarters of the way on, if the two intervals do not overlap, and limited in between. One that is "
      "worse for most labels is no better for all.",
      "For privacy, and where naive draws do as well as real people, there is no such way to measure by. There a "
      "figure is good where it is no worse than that of real people or the intervals overlap, limited where they lie "
      "apart by no more than the width of the interval of real people, and bad beyond that; but of privacy only "
      "limited where it keeps a limit of the gate.",
      "A figure that breaks a limit of the gate is bad in any case. One without a value, or without real people to "
      "compare with, has no verdict.",
      "Neither has a figure of privacy of which more is as wrong as less: it tells how like real people the cohort "
      "is, and others tell what it gives away. Nor has the overlap of hits where real people share none.",
      "Privacy as a whole is bad where one figure is, and good where at most a tenth of those with a verdict are "
      "limited. Any other family is good where no figure is bad and at least three quarters are good, bad where more "
      "figures are bad than good, and limited otherwise; figures of single labels are left out of that where there is "
      "one of all samples."};
  return kRule;
}

absl::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "no verdict";
    case Verdict::kGood:
      return "good";
    case Verdict::kLimited:
      return "limited";
    case Verdict::kBad:
      return "bad";
  }
  return "";
}

}  // namespace genoserve
