#include "core/quality/linkage_charts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

void AddLine(absl::string_view name, absl::string_view role, const DecaySums& sums, double DecaySums::Bin::*total,
             v1::Chart* chart) {
  v1::Series* const line = chart->add_series();
  line->set_name(std::string(name));
  line->set_role(std::string(role));
  // The first bin, of one position, has no place on a logarithmic axis.
  for (size_t k = 1; k + 1 < kDecayBins; ++k) {
    const DecaySums::Bin& bin = sums.bins[k];
    if (bin.pairs < kDecayPairs) continue;
    const auto low = static_cast<double>(DecayEdges()[k]);
    const auto high = static_cast<double>(DecayEdges()[k + 1]);
    line->add_x(static_cast<float>(std::sqrt(low * high)));
    line->add_y(static_cast<float>(bin.*total / static_cast<double>(bin.pairs)));
  }
}

}  // namespace

v1::Chart DecayChart(const std::array<DecaySums, kCandidates.size()>& sums) {
  v1::Chart chart;
  chart.set_name("ld.decay");
  chart.set_title("Linkage by distance");
  chart.set_kind(v1::CHART_KIND_LINE);
  chart.mutable_x()->set_title("Distance (bp)");
  chart.mutable_x()->set_logarithmic(true);
  chart.mutable_y()->set_title("Mean r²");
  chart.set_note(absl::StrCat(
      "Variants that stand close together are inherited together, so real lines fall with distance. The synthetic line "
      "should lie on the hold-out's; independent draws stay flat. Pairs at most ",
      kLinkageWindow, " variants apart, in bins with at least ", kDecayPairs, " pairs."));
  const auto& [synthetic, floor, naive] = sums;
  AddLine("Hold-out", "holdout", synthetic, &DecaySums::Bin::real_r2, &chart);
  AddLine("Synthetic", "synthetic", synthetic, &DecaySums::Bin::compared_r2, &chart);
  AddLine("Training", "training", floor, &DecaySums::Bin::compared_r2, &chart);
  AddLine("Independent draws", "naive", naive, &DecaySums::Bin::compared_r2, &chart);
  return chart;
}

VariantRange StrongestRange(const VariantCorrelations& real, const VariantTable& variants) {
  VariantRange best;
  double most = -1;
  for (size_t begin = 0; begin < variants.size();) {
    size_t contig_end = begin + 1;
    while (contig_end < variants.size() && variants[contig_end].contig == variants[begin].contig) ++contig_end;
    // linked[k]: sum of r^2 of the first k pairs of neighbours of this contig.
    std::vector<double> linked(contig_end - begin);
    for (size_t k = 1; k < linked.size(); ++k) {
      const double r = real.Of(begin + k - 1, begin + k);
      linked[k] = linked[k - 1] + (std::isnan(r) ? 0 : r * r);
    }
    const size_t width = std::min(kHeatmapVariants, linked.size());
    for (size_t k = 0; width > 1 && k + width <= linked.size(); ++k) {
      const double sum = linked[k + width - 1] - linked[k];
      if (sum <= most) continue;
      most = sum;
      best = {begin + k, begin + k + width};
    }
    begin = contig_end;
  }
  return best;
}

v1::Chart HeatmapChart(const LinkageSets& sets, const VariantTable& variants, VariantRange range,
                       absl::string_view label) {
  const VariantCorrelations& synthetic = sets.compared[static_cast<size_t>(Candidate::kSynthetic)];
  v1::Chart chart;
  chart.set_name("ld.heatmap");
  chart.set_label(std::string(label));
  chart.set_title("Linkage of one region");
  chart.set_kind(v1::CHART_KIND_HEATMAP);
  chart.mutable_x()->set_title("Variant");
  chart.mutable_y()->set_title("Variant");
  chart.set_note(
      "r² of each pair of variants in the region with the strongest linkage: hold-out above the diagonal, synthetic "
      "below. The two halves should mirror one another.");
  v1::Matrix& matrix = *chart.mutable_matrix();
  matrix.set_minimum(0);
  matrix.set_maximum(1);
  for (size_t i = range.begin; i < range.end; ++i) {
    const std::string name = absl::StrCat(variants[i].contig, ":", variants[i].position);
    matrix.add_rows(name);
    matrix.add_columns(name);
    for (size_t j = range.begin; j < range.end; ++j) {
      const double r =
          i == j ? std::numeric_limits<double>::quiet_NaN() : (i < j ? sets.real.Of(i, j) : synthetic.Of(i, j));
      matrix.add_values(static_cast<float>(r * r));
    }
  }
  return chart;
}

}  // namespace genoserve
