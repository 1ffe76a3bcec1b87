#include "core/quality/report/chart_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "core/quality/report/test_quality.h"

namespace genoserve {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Quality OneChart(v1::ChartKind kind) {
  v1::Quality quality;
  v1::Chart& chart = *quality.add_charts();
  chart.set_name("x.y");
  chart.set_kind(kind);
  return quality;
}

nlohmann::json Parsed(const v1::Quality& quality) {
  const auto data = ChartData(quality);
  return data.ok() ? nlohmann::json::parse(*data)["charts"] : nlohmann::json(data.status().ToString());
}

TEST(ChartDataTest, CannotEndAScriptElement) {
  const std::string data = ChartData(TestQuality()).value();
  EXPECT_THAT(data, Not(HasSubstr("<")));
  EXPECT_THAT(data, Not(HasSubstr(">")));
  EXPECT_THAT(data, Not(HasSubstr("&")));
  // And yet it is there, as it was.
  EXPECT_THAT(nlohmann::json::parse(data).dump(), HasSubstr("</script><img src=x"));
}

TEST(ChartDataTest, RoundsToWhatCanBeSeen) {
  v1::Quality quality = OneChart(v1::CHART_KIND_LINE);
  v1::Series& series = *quality.mutable_charts(0)->add_series();
  for (const float x : {27380123.F, 27390456.F, 29630789.F}) series.add_x(x);
  for (const float y : {0.F, 0.123456F, std::numeric_limits<float>::quiet_NaN()}) series.add_y(y);
  const nlohmann::json drawn = Parsed(quality)[0]["series"][0];
  // The range is two megabases: a hundred bases can be seen.
  EXPECT_EQ(drawn["x"], nlohmann::json({27380100, 27390500, 29630800}));
  EXPECT_EQ(drawn["y"].dump(), "[0,0.12346,null]");
}

TEST(ChartDataTest, LogarithmicAxesKeepTheDigitsOfEachNumber) {
  v1::Quality quality = OneChart(v1::CHART_KIND_LINE);
  quality.mutable_charts(0)->mutable_x()->set_logarithmic(true);
  v1::Series& series = *quality.mutable_charts(0)->add_series();
  for (const float x : {0.00012345F, 98765432.F}) {
    series.add_x(x);
    series.add_y(1);
  }
  EXPECT_EQ(Parsed(quality)[0]["series"][0]["x"].dump(), "[0.00012345,98765000]");
}

TEST(ChartDataTest, MatricesKeepTheirHoles) {
  v1::Quality quality = OneChart(v1::CHART_KIND_HEATMAP);
  v1::Matrix& matrix = *quality.mutable_charts(0)->mutable_matrix();
  matrix.add_rows("r");
  matrix.add_columns("a");
  matrix.add_columns("b");
  matrix.set_maximum(1);
  matrix.add_columns("c");
  for (const float value : {0.25F, std::numeric_limits<float>::quiet_NaN(), 0.75F}) matrix.add_values(value);
  const nlohmann::json drawn = Parsed(quality)[0]["matrix"];
  EXPECT_EQ(drawn["low"], 0.25);
  EXPECT_DOUBLE_EQ(drawn["step"].get<double>() * 65534, 0.5);
  std::string cells;
  ASSERT_TRUE(absl::Base64Unescape(drawn["cells"].get<std::string>(), &cells));
  EXPECT_EQ(cells, std::string("\x00\x00\xFF\xFF\xFE\xFF", 6));
}

TEST(ChartDataTest, WhatDoesNotFitTogetherIsRefused) {
  v1::Quality quality = OneChart(v1::CHART_KIND_SCATTER);
  quality.mutable_charts(0)->add_series()->add_x(1);
  EXPECT_THAT(ChartData(quality).status().message(), HasSubstr("chart x.y: 1 x and 0 y coordinates"));
  quality = OneChart(v1::CHART_KIND_HEATMAP);
  quality.mutable_charts(0)->mutable_matrix()->add_values(1);
  EXPECT_THAT(ChartData(quality).status().message(), HasSubstr("chart x.y: 1 values do not fill 0 rows of 0 columns"));
  quality = OneChart(v1::CHART_KIND_UNSPECIFIED);
  EXPECT_THAT(ChartData(quality).status().message(), HasSubstr("chart x.y: its kind is not known"));
}

TEST(ChartDataTest, TextThatIsNotUtf8IsReplaced) {
  v1::Quality quality = OneChart(v1::CHART_KIND_LINE);
  quality.mutable_charts(0)->set_title("a\xFF");
  EXPECT_EQ(Parsed(quality)[0]["title"], "a\xEF\xBF\xBD");
}

}  // namespace
}  // namespace genoserve
