#include "core/quality/report/summary_html.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/quality/report/figure_html.h"
#include "core/quality/report/text.h"

namespace genoserve {
namespace {

constexpr size_t kMostNamed = 3;

// What the verdict on a family means, by Verdict.
absl::string_view Meaning(Family family, Verdict verdict) {
  using Texts = std::array<absl::string_view, 4>;
  static constexpr Texts kPrivacy = {
      "Nothing could be measured that tells how private the cohort is.",
      "By these figures the cohort tells no more about the people it was learnt from than about people whom the "
      "generator never saw.",
      "Some figures come nearer to the people it was learnt from than they should, or could not be measured.",
      "The cohort gives away something about the people it was learnt from."};
  static constexpr Texts kFrequency = {
      "Frequencies could not be judged.", "Variants are about as common as in other real people.",
      "Most variants are about as common as they should be, but not all figures are as near as real people.",
      "Variants are off by more than chance, and no nearer than naive draws."};
  static constexpr Texts kLinkage = {
      "Linkage could not be judged.", "Neighbouring variants go together much as they do in real people.",
      "Neighbouring variants go together, but less truly than in real people.",
      "Neighbouring variants go together hardly better than if each were drawn on its own."};
  static constexpr Texts kStructure = {"Population structure could not be judged.",
                                       "Populations differ from one another much as real ones do.",
                                       "The main differences between populations are there, with errors.",
                                       "Populations do not differ from one another as real ones do."};
  static constexpr Texts kCoverage = {"Coverage could not be judged.",
                                      "The cohort shows the variety of real people, and little that is not real.",
                                      "Part of the variety of real people is missing, or some samples are unlike them.",
                                      "Much of the variety of real people is missing, or samples are unlike them."};
  static constexpr Texts kUse = {"What the cohort is good for could not be judged.",
                                 "Analyses come out much as with real people.",
                                 "Some analyses come out as with real people, others are weaker.",
                                 "Analyses do not come out as with real people."};
  const auto at = static_cast<size_t>(verdict);
  switch (family) {
    case Family::kPrivacy:
      return kPrivacy[at];
    case Family::kFrequency:
      return kFrequency[at];
    case Family::kLinkage:
      return kLinkage[at];
    case Family::kStructure:
      return kStructure[at];
    case Family::kCoverage:
      return kCoverage[at];
    case Family::kUse:
      return kUse[at];
  }
  return "";
}

// The worst figures with their numbers.
std::string WorstHtml(std::vector<JudgedFigure> figures) {
  std::erase_if(figures, [](const JudgedFigure& f) { return f.verdict < Verdict::kLimited; });
  std::ranges::stable_sort(figures, std::ranges::greater(), &JudgedFigure::verdict);
  if (figures.size() > kMostNamed) figures.resize(kMostNamed);
  if (figures.empty()) return "";
  std::string html = "<ul class=\"worst\">";
  for (const JudgedFigure& judged : figures) {
    const v1::Figure& figure = *judged.figure;
    const int decimals = FigureDecimals(figure);
    const std::string label = figure.label().empty() ? "" : absl::StrCat(" (", EscapeHtml(figure.label()), ")");
    absl::StrAppend(&html, "<li>", EscapeHtml(judged.title()), label, ": <b>", NumberHtml(figure.value(), decimals),
                    "</b>");
    if (figure.has_floor()) {
      absl::StrAppend(&html, "; real people ", NumberHtml(figure.floor().value(), decimals));
    }
    if (figure.has_naive()) {
      absl::StrAppend(&html, ", naive draws ", NumberHtml(figure.naive().value(), decimals));
    }
    html += "</li>";
  }
  return html + "</ul>";
}

std::string CountsHtml(const std::vector<JudgedFigure>& figures) {
  return absl::StrCat("<p class=\"counts\">", figures.size(),
                      figures.size() == 1 ? " figure: " : " figures: ", VerdictCounts(figures), "</p>");
}

std::string CardHtml(const FigureGroup& group) {
  if (!group.family.has_value() || group.kinds.empty()) return "";
  const std::vector<JudgedFigure> figures = group.judged();
  const std::string measured = group.measured();
  return absl::StrCat("<article class=\"card ", absl::AsciiStrToLower(group.name), "\"><h3><a href=\"#",
                      SectionId(group), "\">", EscapeHtml(group.name), "</a> ", VerdictHtml(group.verdict),
                      "</h3><p class=\"question\">", FamilyQuestion(*group.family), "</p><p>",
                      Meaning(*group.family, group.verdict), measured.empty() ? "" : absl::StrCat(" ", measured, "."),
                      "</p>", CountsHtml(figures), WorstHtml(figures), "</article>\n");
}

std::string GateHtml(const v1::Quality& quality) {
  if (!quality.has_gate())
    return "<p class=\"gate absent\">No gate was asked whether this cohort is good enough.</p>\n";
  const v1::GateResult& gate = quality.gate();
  const std::string name = EscapeHtml(gate.gate());
  if (gate.passed()) {
    return absl::StrFormat(
        "<div class=\"gate passed\"><h3>%s The gate lets it pass</h3><p>All %d figures that the gate “%s” judges are "
        "within their limits.</p></div>\n",
        "<span aria-hidden=\"true\">✓</span>", gate.judged(), name);
  }
  std::string html = absl::StrFormat(
      "<div class=\"gate refused\"><h3><span aria-hidden=\"true\">✕</span> The gate refuses it</h3><p>Of %d figures "
      "that "
      "the gate “%s” judges, %d %s a limit.%s</p><ul>",
      gate.judged(), name, gate.breaches_size(), gate.breaches_size() == 1 ? "breaks" : "break",
      gate.published_anyway() ? " It was <strong>published all the same</strong>, by a decision of the steward." : "");
  for (const bool hard : {true, false}) {
    for (const v1::Breach& breach : gate.breaches()) {
      if (breach.hard() != hard) continue;
      absl::StrAppend(&html, "<li>", hard ? "<span class=\"hard\">privacy</span> " : "");
      // The gate's messages begin with the figure; those of a gate of another version may not.
      if (!absl::StrContains(breach.message(), breach.figure())) {
        const FigureInfo* const info = FindFigure(breach.figure());
        const std::string title = info == nullptr ? breach.figure() : std::string(info->title);
        const std::string label = breach.label().empty() ? "" : absl::StrCat(" (", EscapeHtml(breach.label()), ")");
        absl::StrAppend(&html, "<b>", EscapeHtml(title), label, "</b>: ");
      }
      absl::StrAppend(&html, EscapeHtml(Sentence(breach.message())), "</li>");
    }
  }
  return html + "</ul></div>\n";
}

// What a reader is to do, by the outcome of the gate.
absl::string_view Advice(const v1::Quality& quality) {
  if (!quality.has_gate()) {
    return "Nobody has set limits that this cohort must keep, so this page is for you to judge by. Do not hand the "
           "cohort on while its privacy is not good, and use it only for analyses that its figures of fidelity bear "
           "out.";
  }
  const v1::GateResult& gate = quality.gate();
  if (gate.passed()) {
    return "By these figures the cohort gives away no more about the people it was learnt from than the limits allow, "
           "and is like enough to real people for the purpose of the gate. It can be handed on under the usual terms "
           "of the data. Look below at what an analysis rests on before you trust its results: where a part is "
           "limited or bad, so are analyses that need it.";
  }
  if (quality.figures().empty()) {
    return "Nothing was measured of this cohort, so nothing is known of its privacy or its quality. Do not hand it on. "
           "Ask the steward of the data to measure it, or to train the generator again.";
  }
  if (std::ranges::any_of(gate.breaches(), [](const v1::Breach& breach) { return breach.hard(); })) {
    return "The cohort may give away people it was learnt from, or it could not be shown that it does not. Do not hand "
           "it on, and treat what you have of it as you treat the data of these people. Ask the steward of the data to "
           "train the generator again, for fewer steps or with more people.";
  }
  return "No limit of privacy is broken, but the cohort is not like real people in what is listed above. It is fit for "
         "testing pipelines, teaching and trying out formats, and not for analysis: results would mislead. Ask the "
         "steward of the data to train the generator again, for longer or with more people.";
}

std::string MeaningHtml(const v1::Quality& quality) {
  std::string html = absl::StrCat(
      "<div class=\"advice\"><h3>What this means</h3><p>", Advice(quality),
      "</p><p>Bear in mind:</p><ul><li>These are tests of known attacks on this cohort, and no proof. No differential "
      "privacy is claimed, and there is no epsilon.</li>");
  const bool shows_people =
      std::ranges::any_of(quality.charts(), [](const v1::Chart& chart) { return chart.name() == "pca.scatter"; });
  if (shows_people) {
    html +=
        "<li>This page shows where single real people of the hold-out lie among others (principal components). Treat "
        "it as data of these people.</li>";
  }
  return html + "</ul></div>\n";
}

absl::string_view RoleText(absl::string_view role) {
  if (role == "training") return "Training: real people whom the generator learnt from";
  if (role == "holdout") return "Hold-out: real people whom it never saw";
  if (role == "synthetic") return "Synthetic: what it made";
  return role;
}

std::string ComparedHtml(const v1::QualityInputs& inputs) {
  std::string html =
      "<h3>What was compared</h3>\n<table class=\"sets\" role=\"table\"><thead role=\"rowgroup\"><tr role=\"row\">";
  for (const absl::string_view heading : {"Set", "Source", "Samples", "Variants", "Changes"}) {
    absl::StrAppend(&html, "<th role=\"columnheader\" scope=\"col\">", heading, "</th>");
  }
  html += "</tr></thead><tbody role=\"rowgroup\">\n";
  for (const v1::QualitySet& set : inputs.sets()) {
    std::string changes;
    const auto add = [&](int64_t count, absl::string_view what) {
      if (count > 0) absl::StrAppend(&changes, changes.empty() ? "" : "; ", FormatCount(count), " ", what);
    };
    add(set.variants_left_out(), "variants left out that another set lacks");
    add(set.alleles_swapped(), "variants with REF and ALT swapped, put right");
    add(set.imputed_calls(), "missing calls filled in by allele frequency");
    const auto cell = [](absl::string_view heading, const std::string& text) {
      return absl::StrCat("<td role=\"cell\" data-heading=\"", heading, "\">", text, "</td>");
    };
    absl::StrAppend(&html, "<tr role=\"row\"><th role=\"rowheader\" scope=\"row\">", EscapeHtml(RoleText(set.role())),
                    "</th>", cell("Source", EscapeHtml(set.source())), cell("Samples", FormatCount(set.samples())),
                    cell("Variants", FormatCount(set.variants())), cell("Changes", changes.empty() ? "none" : changes),
                    "</tr>\n");
  }
  absl::StrAppendFormat(
      &html,
      "</tbody></table>\n<p>%s samples of each were compared, as many of each label, at the %s variants that all have, "
      "as %s.",
      FormatCount(inputs.samples_compared()), FormatCount(inputs.variants()),
      inputs.phased() ? "haplotypes (two rows a sample)" : "genotypes of people");
  if (!inputs.label_column().empty()) {
    absl::StrAppendFormat(&html, " Labels: %d of “%s”.", inputs.labels_size(), EscapeHtml(inputs.label_column()));
  }
  if (inputs.phenotypes_size() > 0) {
    html += " Phenotypes: ";
    for (int i = 0; i < inputs.phenotypes_size(); ++i) {
      absl::StrAppend(&html, i > 0 ? ", " : "", EscapeHtml(inputs.phenotypes(i)));
    }
    html += ".";
  }
  absl::StrAppend(&html, " Seed of all draws: ", inputs.seed(), ".</p>\n");
  if (inputs.notes_size() > 0) {
    html += "<ul class=\"notes\">";
    for (const std::string& note : inputs.notes()) absl::StrAppend(&html, "<li>", EscapeHtml(note), "</li>");
    html += "</ul>\n";
  }
  return html;
}

std::string YardsticksHtml() {
  std::string html =
      "<div class=\"yardsticks\"><h3>How to read the figures</h3><p>A number alone says little, so each stands between "
      "two others that were measured in the same way, at the same size:</p><ul class=\"key\">"
      "<li><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path class=\"value\" d=\"M8 2l6 6l-6 6l-6 -6z\"/></svg>"
      "<b>Synthetic</b>: the cohort that this page is about.</li>"
      "<li><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle class=\"floor\" cx=\"8\" cy=\"8\" r=\"5\"/></svg>"
      "<b>Real people</b>: other real people in its place. No generator can be expected to do better.</li>"
      "<li><svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path class=\"naive\" d=\"M3 3l10 10m0 -10l-10 10\"/></svg>"
      "<b>Naive draws</b>: each variant drawn on its own, by its frequency. A generator that is no better is not worth "
      "having.</li></ul><p>Ranges are 95 % intervals: another sample of people would mostly give a number within "
      "them.</p><details><summary>How verdicts are made</summary>";
  for (const absl::string_view rule : VerdictRule()) absl::StrAppend(&html, "<p>", EscapeHtml(rule), "</p>");
  return html + "</details></div>\n";
}

}  // namespace

absl::string_view FamilyQuestion(Family family) {
  switch (family) {
    case Family::kPrivacy:
      return "Does it give away the people it was learnt from?";
    case Family::kFrequency:
      return "Are variants as common as in real people?";
    case Family::kLinkage:
      return "Do neighbouring variants go together as in real people?";
    case Family::kStructure:
      return "Do populations differ from one another as real ones do?";
    case Family::kCoverage:
      return "Does it show the whole variety of real people, and nothing else?";
    case Family::kUse:
      return "Do analyses come out as with real people?";
  }
  return "";
}

std::string SectionId(const FigureGroup& group) {
  return group.family.has_value() ? absl::AsciiStrToLower(group.name) : "other";
}

std::string SummaryHtml(const v1::Quality& quality, const std::vector<FigureGroup>& groups) {
  std::string html = absl::StrCat("<section id=\"summary\"><h2>Summary</h2>\n", GateHtml(quality), MeaningHtml(quality),
                                  "<div class=\"cards\">\n");
  for (const FigureGroup& group : groups) html += CardHtml(group);
  return absl::StrCat(html, "</div>\n", YardsticksHtml(), ComparedHtml(quality.inputs()), "</section>\n");
}

}  // namespace genoserve
