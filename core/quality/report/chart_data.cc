#include "core/quality/report/chart_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace genoserve {
namespace {

using Json = nlohmann::ordered_json;

// Rounds the numbers of one axis.
class Rounding {
 public:
  explicit Rounding(bool logarithmic) : logarithmic_(logarithmic) {}

  template <typename Values>
  void Include(const Values& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low_ = std::min(low_, value);
      high_ = std::max(high_, value);
    }
  }

  Json Apply(double value) const {
    if (!std::isfinite(value)) return nullptr;
    const double rounded = Rounded(value);
    // Without ".0" where it is whole.
    if (rounded == std::trunc(rounded) && std::abs(rounded) < 1e15) return static_cast<int64_t>(rounded);
    return rounded;
  }

  template <typename Values>
  Json ApplyAll(const Values& values) const {
    Json list = Json::array();
    for (const double value : values) list.push_back(Apply(value));
    return list;
  }

 private:
  double Rounded(double value) const {
    const double range = logarithmic_ ? std::abs(value) : high_ - low_;
    if (!(range > 0)) return value;
    // Through a decimal exponent of the right sign, since 1e4 is exact and 1e-4 is not.
    const int exponent = static_cast<int>(std::floor(std::log10(range))) - 4;
    if (exponent >= 0) {
      const double step = std::pow(10.0, exponent);
      return std::round(value / step) * step;
    }
    const double steps = std::pow(10.0, -exponent);
    return std::round(value * steps) / steps;
  }

  bool logarithmic_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
};

const char* KindName(v1::ChartKind kind) {
  switch (kind) {
    case v1::CHART_KIND_SCATTER:
      return "scatter";
    case v1::CHART_KIND_LINE:
      return "line";
    case v1::CHART_KIND_BAR:
      return "bar";
    case v1::CHART_KIND_HEATMAP:
      return "heatmap";
    case v1::CHART_KIND_MANHATTAN:
      return "manhattan";
    default:
      return nullptr;
  }
}

Json AxisData(const v1::Axis& axis) {
  Json data = {{"title", axis.title()}, {"log", axis.logarithmic()}, {"ticks", Json::array()}};
  for (const v1::Tick& tick : axis.ticks()) data["ticks"].push_back(Json::array({tick.at(), tick.name()}));
  return data;
}

// A matrix of 200 x 200 in digits would be a large part of the page: two bytes a cell, the lower first, in base 64.
// They count from the smallest value, 0, to the largest, kLargestCell; kNoCell is a hole.
Json MatrixData(const v1::Matrix& matrix) {
  constexpr uint16_t kLargestCell = 0xFFFE;
  constexpr uint16_t kNoCell = 0xFFFF;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : matrix.values()) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const double range = high > low ? high - low : 1;
  std::string cells;
  for (const double value : matrix.values()) {
    const uint16_t cell =
        std::isfinite(value) ? static_cast<uint16_t>(std::lround((value - low) / range * kLargestCell)) : kNoCell;
    cells += static_cast<char>(cell & 0xFFU);
    cells += static_cast<char>(cell >> 8U);
  }
  return {{"rows", matrix.rows()},
          {"columns", matrix.columns()},
          {"min", matrix.minimum()},
          {"max", matrix.maximum()},
          {"low", std::isfinite(low) ? low : 0},
          {"step", range / kLargestCell},
          {"cells", absl::Base64Escape(cells)}};
}

absl::Status Invalid(const v1::Chart& chart, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrFormat("chart %s: %s", chart.name(), what));
}

absl::StatusOr<Json> OneChart(const v1::Chart& chart) {
  const char* const kind = KindName(chart.kind());
  if (kind == nullptr) return Invalid(chart, "its kind is not known");
  Json data = {{"name", chart.name()}, {"label", chart.label()},   {"title", chart.title()},  {"kind", kind},
               {"note", chart.note()}, {"x", AxisData(chart.x())}, {"y", AxisData(chart.y())}};
  if (chart.kind() == v1::CHART_KIND_HEATMAP) {
    const v1::Matrix& matrix = chart.matrix();
    if (int64_t{matrix.rows_size()} * matrix.columns_size() != matrix.values_size()) {
      return Invalid(chart, absl::StrFormat("%d values do not fill %d rows of %d columns", matrix.values_size(),
                                            matrix.rows_size(), matrix.columns_size()));
    }
    data["matrix"] = MatrixData(matrix);
    return data;
  }
  Rounding x(chart.x().logarithmic());
  Rounding y(chart.y().logarithmic());
  for (const v1::Series& series : chart.series()) {
    if (series.x_size() != series.y_size()) {
      return Invalid(chart, absl::StrFormat("%d x and %d y coordinates", series.x_size(), series.y_size()));
    }
    x.Include(series.x());
    y.Include(series.y());
  }
  data["series"] = Json::array();
  for (const v1::Series& series : chart.series()) {
    data["series"].push_back({{"name", series.name()},
                              {"role", series.role()},
                              {"label", series.label()},
                              {"x", x.ApplyAll(series.x())},
                              {"y", y.ApplyAll(series.y())}});
  }
  return data;
}

}  // namespace

absl::StatusOr<std::string> ChartData(const v1::Quality& quality) {
  Json charts = Json::array();
  for (const v1::Chart& chart : quality.charts()) {
    absl::StatusOr<Json> data = OneChart(chart);
    if (!data.ok()) return data.status();
    charts.push_back(*std::move(data));
  }
  const Json all = {{"charts", std::move(charts)}};
  return absl::StrReplaceAll(all.dump(-1, ' ', true, Json::error_handler_t::replace),
                             {{"<", "\\u003c"}, {">", "\\u003e"}, {"&", "\\u0026"}});
}

}  // namespace genoserve
