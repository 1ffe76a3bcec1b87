#include "core/quality/measurement.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace genoserve {
namespace {

TEST(MeasurementTest, BootstrapOfAMeanCoversItAsTheNormalTheorySays) {
  std::vector<double> values(400);
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? 1 : 0;
  const Measurement mean = BootstrapMean(values, 1, "unused");
  EXPECT_DOUBLE_EQ(mean.value, 0.5);
  EXPECT_EQ(mean.n, 400);
  // Standard error 0.5 / 20; 1.96 of them to each side.
  EXPECT_NEAR(mean.low, 0.451, 0.01);
  EXPECT_NEAR(mean.high, 0.549, 0.01);
  EXPECT_EQ(BootstrapMean(values, 1, "").low, mean.low);
}

TEST(MeasurementTest, SaysWhyThereIsNoValue) {
  EXPECT_EQ(BootstrapMean({}, 1, "nobody is there").reason, "nobody is there");
  const std::vector<double> undefined(10, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(BootstrapMean(undefined, 1, "no numbers").reason, "no numbers");
}

TEST(MeasurementTest, FigureHasFloorAndNaiveBesideIt) {
  v1::Quality quality;
  AddFigure("ld.rmse", "EUR", {Measurement{1, 0.5, 1.5, 7, ""}, Measurement{2, 1, 3, 7, ""}, NotMeasured("no")},
            &quality);
  const v1::Figure& figure = quality.figures(0);
  EXPECT_EQ(figure.value(), 1);
  EXPECT_EQ(figure.n(), 7);
  EXPECT_EQ(figure.floor().high(), 3);
  EXPECT_FALSE(figure.has_naive());
  AddMissingFigure("ld.rmse", "", "too few", &quality);
  EXPECT_FALSE(quality.figures(1).has_value());
  EXPECT_EQ(quality.figures(1).reason(), "too few");
}

}  // namespace
}  // namespace genoserve
