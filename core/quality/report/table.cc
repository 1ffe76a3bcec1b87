#include "core/quality/report/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/quality/report/figure_groups.h"
#include "core/quality/report/text.h"

namespace genoserve {
namespace {

constexpr int kNameColumns = 28;
constexpr int kLabelColumns = 18;

// Wide enough for a verdict and loud where it must be.
absl::string_view Mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return "-";
    case Verdict::kBad:
      return "BAD";
    default:
      return VerdictName(verdict);
  }
}

// One line of text from data, however long.
std::string OneLine(absl::string_view text) {
  std::string line = FitColumns(text, std::max<int>(2, static_cast<int>(text.size())));
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void AppendFigure(const JudgedFigure& judged, std::string* text) {
  const v1::Figure& figure = *judged.figure;
  const int decimals = FigureDecimals(figure);
  const auto number = [&](bool is_there, double value) { return is_there ? FormatNumber(value, decimals) : "-"; };
  const std::string interval =
      figure.has_value() && figure.has_low() && figure.has_high()
          ? absl::StrCat("[", number(true, figure.low()), ", ", number(true, figure.high()), "]")
          : "";
  absl::StrAppendFormat(text, "  %s %s %9s  %-21s %9s %9s  %s\n", FitColumns(figure.name(), kNameColumns),
                        FitColumns(figure.label(), kLabelColumns), number(figure.has_value(), figure.value()), interval,
                        number(figure.has_floor(), figure.floor().value()),
                        number(figure.has_naive(), figure.naive().value()), Mark(judged.verdict));
  if (!figure.has_value() && !figure.reason().empty())
    absl::StrAppend(text, "    ", OneLine(Sentence(figure.reason())), "\n");
}

void AppendGroup(const FigureGroup& group, std::string* text) {
  if (group.kinds.empty()) return;
  const std::string heading = absl::StrCat(group.name, ": ", VerdictName(group.verdict));
  absl::StrAppendFormat(text, "\n%-49s  %9s  %-21s %9s %9s\n", heading, "value", "95 % interval", "floor", "naive");
  for (const FigureKind& kind : group.kinds) {
    if (kind.overall.has_value()) AppendFigure(*kind.overall, text);
    if (!kind.folded()) {
      for (const JudgedFigure& label : kind.labels) AppendFigure(label, text);
      continue;
    }
    std::array<int, 4> counts{};
    for (const JudgedFigure& label : kind.labels) ++counts[static_cast<size_t>(label.verdict)];
    absl::StrAppendFormat(text, "    by label (%d): %d good, %d limited, %d bad, %d without\n", kind.labels.size(),
                          counts[1], counts[2], counts[3], counts[0]);
  }
}

// Correlation, RMSE and largest difference of each label on one line.
void AppendFrequenciesByLabel(const v1::Quality& quality, std::string* text) {
  constexpr std::array<absl::string_view, 3> kNames = {"af.pearson", "af.rmse", "af.max_difference"};
  std::vector<std::string> labels;
  std::map<std::string, std::array<const v1::Figure*, kNames.size()>> rows;
  for (const v1::Figure& figure : quality.figures()) {
    const auto name = std::ranges::find(kNames, absl::string_view(figure.name()));
    if (name == kNames.end() || figure.label().empty()) continue;
    if (!rows.contains(figure.label())) labels.push_back(figure.label());
    rows[figure.label()][static_cast<size_t>(name - kNames.begin())] = &figure;
  }
  if (labels.empty()) return;
  absl::StrAppendFormat(text, "\n%-34s %9s  %9s  %9s  %18s\n", "Allele frequencies by label", "n", "r", "RMSE",
                        "largest difference");
  for (const std::string& label : labels) {
    const auto& figures = rows[label];
    const auto number = [&](size_t i) {
      return figures[i] != nullptr && figures[i]->has_value() ? FormatNumber(figures[i]->value(), 4) : "-";
    };
    const auto some = std::ranges::find_if(figures, [](const v1::Figure* figure) { return figure != nullptr; });
    absl::StrAppendFormat(text, "  %s %9s  %9s  %9s  %18s\n", FitColumns(label, kNameColumns),
                          FormatCount((*some)->n()), number(0), number(1), number(2));
  }
}

void AppendGate(const v1::Quality& quality, std::string* text) {
  if (!quality.has_gate()) return;
  const v1::GateResult& gate = quality.gate();
  absl::StrAppendFormat(text, "\nGate %s: %s, %d figures judged\n", OneLine(gate.gate()),
                        gate.passed() ? "passed" : "refused", gate.judged());
  for (const bool hard : {true, false}) {
    for (const v1::Breach& breach : gate.breaches()) {
      if (breach.hard() != hard) continue;
      const std::string label = breach.label().empty() ? "" : absl::StrCat(" of ", OneLine(breach.label()));
      absl::StrAppend(text, "  ", OneLine(breach.figure()), label, hard ? " (hard limit): " : ": ",
                      OneLine(breach.message()), "\n");
    }
  }
  if (gate.published_anyway()) absl::StrAppend(text, "  Published in spite of this.\n");
}

}  // namespace

std::string RenderTable(const v1::Quality& quality) {
  const v1::QualityInputs& inputs = quality.inputs();
  std::string text = absl::StrFormat(
      "%s samples of each cohort compared at %s variants.\nfloor: real people in place of the synthetic "
      "samples; naive: independent draws by allele frequency.\n",
      FormatCount(inputs.samples_compared()), FormatCount(inputs.variants()));
  for (const FigureGroup& group : GroupFigures(quality)) AppendGroup(group, &text);
  AppendFrequenciesByLabel(quality, &text);
  AppendGate(quality, &text);
  return text;
}

}  // namespace genoserve
