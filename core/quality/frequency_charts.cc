#include "core/quality/frequency_charts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

constexpr size_t kMostPoints = 2000;
constexpr size_t kBins = 30;

v1::Chart NewChart(absl::string_view name, v1::ChartKind kind, absl::string_view title, absl::string_view x,
                   absl::string_view y, absl::string_view note) {
  v1::Chart chart;
  chart.set_name(std::string(name));
  chart.set_kind(kind);
  chart.set_title(std::string(title));
  chart.mutable_x()->set_title(std::string(x));
  chart.mutable_y()->set_title(std::string(y));
  chart.set_note(std::string(note));
  return chart;
}

v1::Series* AddSeries(absl::string_view name, absl::string_view role, v1::Chart* chart) {
  v1::Series* series = chart->add_series();
  series->set_name(std::string(name));
  series->set_role(std::string(role));
  return series;
}

}  // namespace

v1::Chart FrequencyScatter(std::span<const double> holdout, std::span<const double> synthetic) {
  v1::Chart chart = NewChart("af.scatter", v1::CHART_KIND_SCATTER, "Allele frequencies", "ALT frequency in real people",
                             "ALT frequency in synthetic people",
                             "Each point is a variant; on the line, synthetic people have it as often as real ones.");
  v1::Series* points = AddSeries("Variants", "synthetic", &chart);
  const size_t count = std::min(holdout.size(), kMostPoints);
  for (size_t i = 0; i < count; ++i) {
    const size_t v = i * holdout.size() / count;
    points->add_x(static_cast<float>(holdout[v]));
    points->add_y(static_cast<float>(synthetic[v]));
  }
  v1::Series* line = AddSeries("Equal", "", &chart);
  for (const float end : {0.0F, 1.0F}) {
    line->add_x(end);
    line->add_y(end);
  }
  return chart;
}

v1::Chart HeterozygosityHistogram(std::span<const double> holdout, std::span<const double> synthetic,
                                  std::span<const double> naive) {
  v1::Chart chart =
      NewChart("het.histogram", v1::CHART_KIND_BAR, "Heterozygosity of people", "share of variants carried in one copy",
               "share of people", "Synthetic people should spread over the same range as real ones.");
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::span<const double> values : {holdout, synthetic, naive}) {
    low = std::min(low, *std::min_element(values.begin(), values.end()));
    high = std::max(high, *std::max_element(values.begin(), values.end()));
  }
  // A width for cohorts in which all have the same.
  const double width = std::max(high - low, 1e-6) / kBins;
  const auto add = [&](absl::string_view name, absl::string_view role, std::span<const double> values) {
    std::vector<size_t> counts(kBins);
    for (const double value : values) {
      ++counts[std::min(static_cast<size_t>((value - low) / width), kBins - 1)];
    }
    v1::Series* series = AddSeries(name, role, &chart);
    for (size_t bin = 0; bin < kBins; ++bin) {
      series->add_x(static_cast<float>(low + static_cast<double>(bin) * width));
      series->add_y(static_cast<float>(static_cast<double>(counts[bin]) / static_cast<double>(values.size())));
    }
  };
  add("Real, held out", "holdout", holdout);
  add("Synthetic", "synthetic", synthetic);
  add("Naive draws", "naive", naive);
  return chart;
}

v1::Chart FstMatrixChart(const std::vector<std::string>& labels, const LabelFst& holdout, const LabelFst& synthetic) {
  v1::Chart chart =
      NewChart("fst.matrix", v1::CHART_KIND_HEATMAP, "Distances between populations (Fst)", "population", "population",
               "Real people above the diagonal, synthetic ones below: the two halves should mirror each "
               "other.");
  const size_t size = labels.size();
  const std::vector<double> above = holdout.All();
  const std::vector<double> below = synthetic.All();
  std::vector<float> values(size * size, std::numeric_limits<float>::quiet_NaN());
  double minimum = 0;
  double maximum = 0;
  size_t pair = 0;
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = i + 1; j < size; ++j, ++pair) {
      values[i * size + j] = static_cast<float>(above[pair]);
      values[j * size + i] = static_cast<float>(below[pair]);
      for (const double fst : {above[pair], below[pair]}) {
        // NaN keeps the bounds as they are.
        minimum = std::fmin(minimum, fst);
        maximum = std::fmax(maximum, fst);
      }
    }
  }
  v1::Matrix& matrix = *chart.mutable_matrix();
  matrix.mutable_rows()->Assign(labels.begin(), labels.end());
  matrix.mutable_columns()->Assign(labels.begin(), labels.end());
  matrix.mutable_values()->Assign(values.begin(), values.end());
  matrix.set_minimum(minimum);
  matrix.set_maximum(maximum);
  return chart;
}

}  // namespace genoserve
