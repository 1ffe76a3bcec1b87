#include "core/quality/report/report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/quality/report/assets.h"
#include "core/quality/report/chart_data.h"
#include "core/quality/report/figure_groups.h"
#include "core/quality/report/figure_html.h"
#include "core/quality/report/summary_html.h"
#include "core/quality/report/text.h"

namespace genoserve {
namespace {

// The source expression of a script in a Content Security Policy (CSP level 3, section 2.3.1).
std::string ScriptDigest(absl::string_view script) {
  Sha256 sha;
  sha.Update(script);
  const Sha256Digest digest = sha.Finish();
  return absl::StrCat("'sha256-", absl::Base64Escape({reinterpret_cast<const char*>(digest.data()), digest.size()}),
                      "'");
}

std::string ChartHtml(const v1::Chart& chart, int index) {
  const std::string title = absl::StrContains(chart.title(), chart.label())
                                ? chart.title()
                                : absl::StrCat(chart.title(), ": ", chart.label());
  const std::string id = absl::StrCat("chart-", index);
  return absl::StrCat("<figure class=\"chart ", chart.kind() == v1::CHART_KIND_HEATMAP ? "square" : "wide",
                      "\" data-chart=\"", index, "\"><figcaption id=\"", id, "\">", EscapeHtml(title),
                      "</figcaption><div class=\"legend\"></div><div class=\"plot\" role=\"img\" aria-labelledby=\"",
                      id, "\" aria-describedby=\"", id, "-note\"></div><p class=\"note\" id=\"", id, "-note\">",
                      EscapeHtml(chart.note()),
                      "</p><details class=\"data\"><summary>Data of this chart"
                      "<span class=\"for-readers\">: ",
                      EscapeHtml(title), "</span></summary></details></figure>\n");
}

std::string SectionHtml(const FigureGroup& group, const v1::Quality& quality) {
  std::string html =
      absl::StrCat("<section id=\"", SectionId(group), "\"><h2>", EscapeHtml(group.name), " ",
                   group.family.has_value() && !group.kinds.empty() ? VerdictHtml(group.verdict) : "", "</h2>");
  if (group.family.has_value())
    absl::StrAppend(&html, "<p class=\"question\">", FamilyQuestion(*group.family), "</p>\n");
  html += FigureTables(group);
  if (!group.charts.empty()) {
    std::string shown;
    std::string folded;
    for (const v1::Chart* chart : group.charts) {
      int index = 0;
      while (&quality.charts(index) != chart) ++index;
      const bool of_all = !chart->label().empty() && std::ranges::any_of(group.charts, [&](const v1::Chart* other) {
        return other->name() == chart->name() && other->label().empty();
      });
      (of_all ? folded : shown) += ChartHtml(*chart, index);
    }
    absl::StrAppend(&html, "<div class=\"charts\">\n", shown, "</div>\n");
    if (!folded.empty()) {
      absl::StrAppend(&html, "<details class=\"more-charts\"><summary>Charts of single labels</summary>",
                      "<div class=\"charts\">\n", folded, "</div></details>\n");
    }
  }
  return html + "</section>\n";
}

std::string HeaderHtml(const v1::QualityInputs& inputs, absl::string_view title) {
  std::string html = absl::StrCat("<p class=\"eyebrow\">Quality and privacy of a synthetic cohort</p><h1>",
                                  EscapeHtml(title), "</h1>");
  std::string made;
  if (!inputs.measured_at().empty()) absl::StrAppend(&made, "Measured ", EscapeHtml(inputs.measured_at()));
  if (!inputs.code_version().empty()) {
    absl::StrAppend(&made, made.empty() ? "G" : " by g", "enoserve ", EscapeHtml(inputs.code_version()));
  }
  if (!made.empty()) absl::StrAppend(&html, "<p class=\"made\">", made, "</p>");
  return html;
}

}  // namespace

absl::StatusOr<std::string> RenderReport(const v1::Quality& quality) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string charts, ChartData(quality));
  const absl::string_view page(kPageTemplate, kPageTemplateSize);
  const absl::string_view script(kPageScript, kPageScriptSize);
  const absl::string_view library(kChartLibrary, kChartLibrarySize);
  static const std::string* const digests =
      new std::string(absl::StrCat(ScriptDigest(library), " ", ScriptDigest(script)));

  const std::string title = quality.inputs().title().empty() ? "Synthetic cohort" : quality.inputs().title();
  const std::vector<FigureGroup> groups = GroupFigures(quality);
  std::string links = "<li><a href=\"#summary\">Summary</a></li>";
  std::string sections;
  for (const FigureGroup& group : groups) {
    absl::StrAppend(&links, "<li><a href=\"#", SectionId(group), "\">", EscapeHtml(group.name), "</a></li>");
    sections += SectionHtml(group, quality);
  }
  // One pass: what is put in is not searched again.
  return absl::StrReplaceAll(page, {{"{{title}}", EscapeHtml(title)},
                                    {"{{script-digests}}", *digests},
                                    {"{{style}}", absl::string_view(kPageStyle, kPageStyleSize)},
                                    {"{{header}}", HeaderHtml(quality.inputs(), title)},
                                    {"{{links}}", links},
                                    {"{{summary}}", SummaryHtml(quality, groups)},
                                    {"{{sections}}", sections},
                                    {"{{licence}}", EscapeHtml({kChartLibraryLicence, kChartLibraryLicenceSize})},
                                    {"{{chart-data}}", charts},
                                    {"{{chart-library}}", library},
                                    {"{{script}}", script}});
}

}  // namespace genoserve
