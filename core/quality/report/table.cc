#include "core/quality/report/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/quality/report/figure_groups.h"
#include "core/quality/report/text.h"

namespace genoserve {
namespace {

constexpr int kColumns = 100;
constexpr int kFigureColumns = 37;  // name and label
constexpr int kNameColumns = 18;    // of a name that has a label, where it fits
constexpr int kNumberColumns = 9;
constexpr int kMostDecimals = 6;
constexpr double kManyLeftOut = 0.1;

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

// The name of a figure with its label, for a sentence.
std::string NameOf(absl::string_view figure, absl::string_view label) {
  return label.empty() ? std::string(figure) : absl::StrCat(figure, " of ", label);
}

void AppendFigure(const JudgedFigure& judged, std::string* text) {
  const v1::Figure& figure = *judged.figure;
  const int decimals = std::min(FigureDecimals(figure), kMostDecimals);
  const auto number = [&](bool is_there, double value) -> std::string {
    if (!is_there) return "-";
    const std::string exact = FormatNumber(value, decimals);
    return exact.size() > kNumberColumns ? absl::StrFormat("%.3g", value) : exact;
  };
  const std::string interval =
      figure.has_low() && figure.has_high()
          ? absl::StrCat("[", number(true, figure.low()), ", ", number(true, figure.high()), "]")
          : "";
  std::string name = figure.name();
  if (!figure.label().empty())
    absl::StrAppend(&(name = absl::StrFormat("%-*s", kNameColumns, name)), " ", figure.label());
  absl::StrAppendFormat(text, "  %s %9s %-22s %9s %9s %s\n", FitColumns(name, kFigureColumns),
                        number(true, figure.value()), interval, number(figure.has_floor(), figure.floor().value()),
                        number(figure.has_naive(), figure.naive().value()), Mark(judged.verdict));
}

// Gathers figures in a row that lack a value for one reason, and tells of them in one sentence.
class Unmeasured {
 public:
  explicit Unmeasured(std::string* text) : text_(text) {}

  void Add(const v1::Figure& figure) {
    const std::string reason = Sentence(figure.reason());
    if (reason != reason_) Flush();
    reason_ = reason;
    absl::StrAppend(&names_, names_.empty() ? "" : ", ", NameOf(figure.name(), figure.label()));
  }

  void Flush() {
    if (names_.empty()) return;
    const std::string end = reason_.empty() ? "." : absl::StrCat(": ", reason_);
    absl::StrAppend(text_, WrapColumns(absl::StrCat("not measured: ", names_, end), 2, kColumns));
    names_.clear();
  }

 private:
  std::string* text_;
  std::string names_;
  std::string reason_;
};

void AppendGroup(const FigureGroup& group, std::string* text) {
  if (group.kinds.empty()) return;
  const std::string heading = absl::StrCat(group.name, ": ", VerdictName(group.verdict));
  absl::StrAppendFormat(text, "\n%-39s %9s %-22s %9s %9s\n", heading, "value", "95 % interval", "floor", "naive");
  Unmeasured unmeasured(text);
  const auto append = [&](const JudgedFigure& judged) {
    if (!judged.figure->has_value()) return unmeasured.Add(*judged.figure);
    unmeasured.Flush();
    AppendFigure(judged, text);
  };
  for (const FigureKind& kind : group.kinds) {
    if (kind.overall.has_value()) append(*kind.overall);
    if (!kind.folded()) {
      for (const JudgedFigure& label : kind.labels) append(label);
      continue;
    }
    // Without any value, the figure of all says why.
    if (kind.overall.has_value() &&
        std::ranges::none_of(kind.labels, [](const JudgedFigure& f) { return f.figure->has_value(); })) {
      continue;
    }
    unmeasured.Flush();
    std::array<int, 4> counts{};
    for (const JudgedFigure& label : kind.labels) ++counts[static_cast<size_t>(label.verdict)];
    const std::string name = kind.overall.has_value() ? "" : absl::StrCat(kind.labels.front().figure->name(), " ");
    absl::StrAppendFormat(text, "    %sby label (%d): %d good, %d limited, %d bad, %d without\n", name,
                          kind.labels.size(), counts[1], counts[2], counts[3], counts[0]);
  }
  unmeasured.Flush();
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
  absl::StrAppendFormat(text, "\n%-30s %9s  %9s  %9s  %18s\n", "Allele frequencies by label", "n", "r", "RMSE",
                        "largest difference");
  for (const std::string& label : labels) {
    const auto& figures = rows[label];
    const auto number = [&](size_t i) {
      return figures[i] != nullptr && figures[i]->has_value() ? FormatNumber(figures[i]->value(), 4) : "-";
    };
    const auto some = std::ranges::find_if(figures, [](const v1::Figure* figure) { return figure != nullptr; });
    absl::StrAppendFormat(text, "  %s %9s  %9s  %9s  %18s\n", FitColumns(label, 28), FormatCount((*some)->n()),
                          number(0), number(1), number(2));
  }
}

// The cohorts, what was done to them, and what to beware of.
void AppendInputs(const v1::QualityInputs& inputs, std::string* text) {
  const auto line = [text](absl::string_view sentence) { *text += WrapColumns(sentence, 0, kColumns); };
  std::vector<std::string> warnings;
  for (const v1::QualitySet& set : inputs.sets()) {
    std::string about = absl::StrCat(set.role(), ": ", set.source(), ", ", FormatCount(set.samples()), " samples");
    const auto add = [&](int64_t count, absl::string_view what) {
      if (count > 0) absl::StrAppend(&about, ", ", FormatCount(count), " ", what);
    };
    add(set.variants_left_out(), "variants left out");
    add(set.alleles_swapped(), "with alleles swapped");
    add(set.imputed_calls(), "missing calls filled in");
    line(about);
    const auto share = static_cast<double>(set.variants_left_out()) / static_cast<double>(set.variants());
    if (set.variants() > 0 && share > kManyLeftOut) {
      warnings.push_back(absl::StrFormat(
          "Warning: %s of the %s variants of %s (%.0f %%) were left out, as another set lacks them. The figures say "
          "nothing of these.",
          FormatCount(set.variants_left_out()), FormatCount(set.variants()), set.source(), 100 * share));
    }
  }
  if (inputs.samples_compared() > 0) {
    line(absl::StrFormat("%s samples of each cohort compared at %s variants.", FormatCount(inputs.samples_compared()),
                         FormatCount(inputs.variants())));
  }
  for (const std::string& note : inputs.notes()) line(Sentence(note));
  for (const std::string& warning : warnings) line(warning);
}

std::string GateLine(const v1::GateResult& gate) {
  return WrapColumns(absl::StrFormat("Gate %s: %s, %d figures judged", gate.gate(),
                                     gate.passed() ? "passed" : "refused", gate.judged()),
                     0, kColumns);
}

void AppendGate(const v1::GateResult& gate, std::string* text) {
  *text += GateLine(gate);
  for (const bool hard : {true, false}) {
    for (const v1::Breach& breach : gate.breaches()) {
      if (breach.hard() != hard) continue;
      // The gate's messages begin with the figure; those of a gate of another version may not.
      std::string start = hard ? "Hard limit: " : "";
      if (!absl::StrContains(breach.message(), breach.figure())) {
        start = absl::StrCat(NameOf(breach.figure(), breach.label()), hard ? " (hard limit): " : ": ");
      }
      absl::StrAppend(text, WrapColumns(absl::StrCat(start, Sentence(breach.message())), 2, kColumns));
    }
  }
  if (gate.published_anyway()) absl::StrAppend(text, "  Published in spite of this.\n");
}

// The verdict on each family, and of how many figures.
void AppendVerdicts(const std::vector<FigureGroup>& groups, std::string* text) {
  for (const FigureGroup& group : groups) {
    if (!group.family.has_value() || group.kinds.empty()) continue;
    const std::string measured = group.measured();
    absl::StrAppendFormat(text, "%-12s %s%s%s\n", group.name,
                          group.verdict == Verdict::kNone ? VerdictName(group.verdict) : Mark(group.verdict),
                          measured.empty() ? "" : "; ", measured);
  }
}

}  // namespace

std::string RenderTable(const v1::Quality& quality) {
  const std::vector<FigureGroup> groups = GroupFigures(quality);
  std::string text;
  AppendInputs(quality.inputs(), &text);
  const auto part = [&text] {
    if (!text.empty()) text += '\n';
  };
  if (quality.has_gate()) {
    part();
    AppendGate(quality.gate(), &text);
  }
  if (!groups.empty()) {
    part();
    AppendVerdicts(groups, &text);
    text += "\nfloor: real people in place of the synthetic samples; naive: independent draws by allele frequency.\n";
  }
  for (const FigureGroup& group : groups) AppendGroup(group, &text);
  AppendFrequenciesByLabel(quality, &text);
  if (quality.has_gate() && !groups.empty()) absl::StrAppend(&text, "\n", GateLine(quality.gate()));
  return text;
}

}  // namespace genoserve
