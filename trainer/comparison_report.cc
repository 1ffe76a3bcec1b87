#include "trainer/comparison_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

std::string Number(double value) { return std::isnan(value) ? "-" : absl::StrFormat("%.4f", value); }

std::string Share(size_t part, size_t whole) {
  const double percent = whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
  return absl::StrFormat("%d of %d (%.3g %%)", part, whole, percent);
}

}  // namespace

std::string ComparisonTable(const CohortComparison& comparison, const std::string& group_title) {
  const std::string title = group_title.empty() ? "samples" : group_title;
  size_t width = title.size();
  for (const FrequencyAgreement& f : comparison.frequencies) width = std::max({width, f.group.size(), size_t{3}});
  const int w = static_cast<int>(width);
  std::string text = absl::StrFormat("Allele frequencies of %d variants, real and synthetic\n",
                                     comparison.frequencies.front().agreement.pairs);
  absl::StrAppendFormat(&text, "%-*s  %8s  %11s  %8s  %8s  %18s\n", w, title, "n real", "n synthetic", "r", "RMSE",
                        "largest difference");
  for (const FrequencyAgreement& f : comparison.frequencies) {
    absl::StrAppendFormat(&text, "%-*s  %8d  %11d  %8s  %8s  %18s\n", w, f.group.empty() ? "all" : f.group,
                          f.real_samples, f.synthetic_samples, Number(f.agreement.pearson), Number(f.agreement.rmse),
                          Number(f.agreement.max_difference));
  }
  const NeighbourLinkage& ld = comparison.linkage;
  absl::StrAppendFormat(&text,
                        "Mean r^2 of neighbouring variants: real %s, synthetic %s (%d pairs; %d dropped, in which a "
                        "variant does not vary)\n",
                        Number(ld.real), Number(ld.synthetic), ld.pairs, ld.dropped);
  const Duplicates& rows = comparison.duplicates;
  absl::StrAppend(&text, "Synthetic rows identical to a real row: ", Share(rows.found_in_real, rows.rows), "\n");
  absl::StrAppend(&text, "Synthetic rows identical to one another: ", Share(rows.repeated, rows.rows),
                  "; real rows: ", Share(rows.repeated_in_real, rows.real_rows), "\n");
  return text;
}

std::string ComparisonJson(const CohortComparison& comparison) {
  nlohmann::ordered_json json;
  json["allele_frequencies"] = nlohmann::ordered_json::array();
  for (const FrequencyAgreement& f : comparison.frequencies) {
    json["allele_frequencies"].push_back({{"label", f.group},
                                          {"real_samples", f.real_samples},
                                          {"synthetic_samples", f.synthetic_samples},
                                          {"variants", f.agreement.pairs},
                                          {"pearson", f.agreement.pearson},
                                          {"rmse", f.agreement.rmse},
                                          {"max_difference", f.agreement.max_difference}});
  }
  json["neighbour_r2"] = {{"real", comparison.linkage.real},
                          {"synthetic", comparison.linkage.synthetic},
                          {"pairs", comparison.linkage.pairs},
                          {"dropped_pairs", comparison.linkage.dropped}};
  json["rows"] = {{"synthetic", comparison.duplicates.rows},
                  {"found_in_real", comparison.duplicates.found_in_real},
                  {"repeated", comparison.duplicates.repeated},
                  {"real", comparison.duplicates.real_rows},
                  {"repeated_in_real", comparison.duplicates.repeated_in_real}};
  // Labels come from files that may be in any encoding.
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace genoserve
