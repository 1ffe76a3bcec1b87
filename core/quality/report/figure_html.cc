#include "core/quality/report/figure_html.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "core/quality/report/text.h"

namespace genoserve {
namespace {

constexpr double kStripWidth = 150;
constexpr double kStripMargin = 8;

std::string Interval(double low, double high, int decimals) {
  return absl::StrCat("<span class=\"ci\">", NumberHtml(low, decimals), " to ", NumberHtml(high, decimals), "</span>");
}

// Where value, floor and naive draws stand, with their intervals, on a line from the least to the greatest.
class Strip {
 public:
  explicit Strip(const v1::Figure& figure) {
    if (figure.has_floor()) Add("floor", 7, figure.floor().value(), figure.floor().low(), figure.floor().high());
    if (figure.has_naive()) Add("naive", 17, figure.naive().value(), figure.naive().low(), figure.naive().high());
    if (figure.has_value()) {
      Add("value", 12, figure.value(), figure.has_low() ? figure.low() : figure.value(),
          figure.has_high() ? figure.high() : figure.value());
    }
  }

  std::string Html() const {
    if (marks_.size() < 2) return "";
    std::string html = absl::StrFormat("<svg class=\"strip\" viewBox=\"0 0 %g 24\" aria-hidden=\"true\">", kStripWidth);
    absl::StrAppendFormat(&html, "<path class=\"axis\" d=\"M0 12H%g\"/>", kStripWidth);
    for (const Mark& mark : marks_) {
      const double x = At(mark.value);
      if (mark.high > mark.low) {
        absl::StrAppendFormat(&html, "<path class=\"%s-range\" d=\"M%.1f %gH%.1f\"/>", mark.role, At(mark.low), mark.y,
                              At(mark.high));
      }
      // Signs by role: a ring, a cross and a filled diamond.
      if (mark.role == "floor") {
        absl::StrAppendFormat(&html, "<circle class=\"floor\" cx=\"%.1f\" cy=\"%g\" r=\"4\"/>", x, mark.y);
      } else if (mark.role == "naive") {
        absl::StrAppendFormat(&html, "<path class=\"naive\" d=\"M%.1f %gl7 7m0 -7l-7 7\"/>", x - 3.5, mark.y - 3.5);
      } else {
        absl::StrAppendFormat(&html, "<path class=\"value\" d=\"M%.1f %gl5.5 5.5l-5.5 5.5l-5.5 -5.5z\"/>", x,
                              mark.y - 5.5);
      }
    }
    return html + "</svg>";
  }

 private:
  struct Mark {
    absl::string_view role;
    double y;
    double value;
    double low;
    double high;
  };

  void Add(absl::string_view role, double y, double value, double low, double high) {
    if (!std::isfinite(value)) return;
    if (!(low <= value && value <= high)) low = high = value;
    marks_.push_back({role, y, value, low, high});
    low_ = std::min(low_, low);
    high_ = std::max(high_, high);
  }

  double At(double value) const {
    const double share = high_ > low_ ? (value - low_) / (high_ - low_) : 0.5;
    return kStripMargin + share * (kStripWidth - 2 * kStripMargin);
  }

  std::vector<Mark> marks_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

absl::string_view BetterText(Better better) {
  switch (better) {
    case Better::kHigher:
      return "higher is better";
    case Better::kLower:
      return "lower is better";
    case Better::kNearFloor:
      return "best where real people are";
  }
  return "";
}

std::string TitleHtml(const JudgedFigure& judged) {
  const v1::Figure& figure = *judged.figure;
  const std::string label =
      figure.label().empty() ? "" : absl::StrCat(" <span class=\"label\">", EscapeHtml(figure.label()), "</span>");
  if (judged.info == nullptr)
    return absl::StrCat("<span class=\"title\">", EscapeHtml(figure.name()), "</span>", label);
  return absl::StrCat("<details class=\"about\"><summary>", EscapeHtml(judged.info->title), label, "</summary><p>",
                      EscapeHtml(judged.info->meaning), "</p><p class=\"formula\"><code>", EscapeHtml(figure.name()),
                      "</code>, ", BetterText(judged.info->better), ". ", EscapeHtml(judged.info->formula),
                      "</p></details>");
}

std::string Limit(double limit) { return absl::StrReplaceAll(absl::StrFormat("%.3g", limit), {{"-", "−"}}); }

std::string LimitHtml(const v1::Figure& figure) {
  std::string html;
  if (figure.has_minimum()) absl::StrAppend(&html, "at least ", Limit(figure.minimum()));
  if (figure.has_minimum() && figure.has_maximum()) html += ", ";
  if (figure.has_maximum()) absl::StrAppend(&html, "at most ", Limit(figure.maximum()));
  return html.empty() ? html : absl::StrCat("<span class=\"limit\">limit: ", html, "</span>");
}

std::string Cell(absl::string_view name, absl::string_view heading, absl::string_view content) {
  return absl::StrCat("<td role=\"cell\" class=\"", name, "\" data-heading=\"", heading, "\">", content, "</td>");
}

std::string Row(const JudgedFigure& judged, bool by_label) {
  const v1::Figure& figure = *judged.figure;
  const int decimals = FigureDecimals(figure);
  std::string html = absl::StrCat("<tr role=\"row\"", figure.has_value() ? "" : " class=\"missing\"",
                                  "><th role=\"rowheader\" scope=\"row\">");
  absl::StrAppend(&html, by_label ? EscapeHtml(figure.label()) : TitleHtml(judged));
  if (!figure.has_value()) {
    absl::StrAppend(&html, "<p class=\"reason\">", EscapeHtml(Sentence(figure.reason())), "</p>");
  }
  html += "</th>";
  std::string value = absl::StrCat("<span class=\"number\">",
                                   figure.has_value() ? NumberHtml(figure.value(), decimals) : "–", "</span>");
  if (figure.has_value() && figure.has_low() && figure.has_high()) {
    absl::StrAppend(&value, " ", Interval(figure.low(), figure.high(), decimals));
  }
  absl::StrAppend(&value, LimitHtml(figure));
  const auto reference = [&](bool is_there, const v1::Reference& other) {
    if (!is_there) return std::string("<span class=\"number\">–</span>");
    const bool interval = other.low() <= other.value() && other.value() <= other.high();
    return absl::StrCat("<span class=\"number\">", NumberHtml(other.value(), decimals), "</span> ",
                        interval && other.low() < other.high() ? Interval(other.low(), other.high(), decimals) : "");
  };
  absl::StrAppend(&html, Cell("synthetic", "Synthetic", value), Cell("position", "", Strip(figure).Html()),
                  Cell("real", "Real people", reference(figure.has_floor(), figure.floor())),
                  Cell("draws", "Naive draws", reference(figure.has_naive(), figure.naive())));
  std::string n = figure.n() > 0 ? FormatCount(figure.n()) : "–";
  if (figure.n() > 0 && judged.info != nullptr && !judged.info->n_of.empty()) {
    absl::StrAppend(&n, " <span class=\"unit\">", EscapeHtml(judged.info->n_of), "</span>");
  }
  absl::StrAppend(&html, Cell("n", "Measured over", n), Cell("verdict-cell", "Verdict", VerdictHtml(judged.verdict)),
                  "</tr>\n");
  return html;
}

std::string Table(const std::vector<JudgedFigure>& figures, bool by_label, absl::string_view caption) {
  std::string html = absl::StrCat(
      "<table class=\"figures\" role=\"table\"><caption class=\"for-readers\">", EscapeHtml(caption),
      "</caption><thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">",
      by_label ? "Label" : "Figure",
      "</th><th role=\"columnheader\" scope=\"col\">Synthetic <span class=\"unit\">95 % interval</span></th>"
      "<th role=\"columnheader\" scope=\"col\"><span class=\"for-readers\">Position</span></th>"
      "<th role=\"columnheader\" scope=\"col\">Real people</th><th role=\"columnheader\" scope=\"col\">Naive draws</th>"
      "<th role=\"columnheader\" scope=\"col\">Measured over</th>"
      "<th role=\"columnheader\" scope=\"col\">Verdict</th></tr></thead><tbody role=\"rowgroup\">\n");
  for (const JudgedFigure& figure : figures) html += Row(figure, by_label);
  return html + "</tbody></table>\n";
}

}  // namespace

std::string NumberHtml(double value, int decimals) {
  const std::string text = FormatNumber(value, decimals);
  return text == "-" ? "–" : absl::StrReplaceAll(text, {{"-", "−"}});
}

std::string VerdictHtml(Verdict verdict) {
  struct Look {
    absl::string_view name;
    absl::string_view sign;
  };
  static constexpr std::array<Look, 4> kLooks = {{{"none", "–"}, {"good", "✓"}, {"limited", "~"}, {"bad", "✕"}}};
  const Look& look = kLooks[static_cast<size_t>(verdict)];
  return absl::StrCat("<span class=\"verdict ", look.name, "\"><span aria-hidden=\"true\">", look.sign, "</span> ",
                      VerdictName(verdict), "</span>");
}

std::string VerdictCounts(const std::vector<JudgedFigure>& figures) {
  std::string text;
  for (const Verdict verdict : {Verdict::kGood, Verdict::kLimited, Verdict::kBad, Verdict::kNone}) {
    const auto count = std::ranges::count(figures, verdict, &JudgedFigure::verdict);
    if (count > 0) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", count, verdict == Verdict::kNone ? " with " : " ",
                      VerdictName(verdict));
    }
  }
  return text;
}

std::string FigureTables(const FigureGroup& group) {
  std::vector<JudgedFigure> unfolded;
  for (const FigureKind& kind : group.kinds) {
    if (kind.overall.has_value()) unfolded.push_back(*kind.overall);
    if (!kind.folded()) unfolded.insert(unfolded.end(), kind.labels.begin(), kind.labels.end());
  }
  std::string html;
  if (!unfolded.empty()) html = Table(unfolded, false, absl::StrCat("Figures of ", group.name));
  for (const FigureKind& kind : group.kinds) {
    if (!kind.folded()) continue;
    const std::string title = kind.labels.front().title();
    absl::StrAppend(&html, "<details class=\"by-label\"><summary>", EscapeHtml(title),
                    ", by label <span class=\"unit\">", kind.labels.size(),
                    kind.labels.size() == 1 ? " label: " : " labels: ", VerdictCounts(kind.labels),
                    "</span></summary>\n", Table(kind.labels, true, absl::StrCat(title, ", by label")), "</details>\n");
  }
  return html;
}

}  // namespace genoserve
