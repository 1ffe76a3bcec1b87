#include "trainer/loop/validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/quality/gate.h"
#include "trainer/loop/tiny_generator.h"

namespace genoserve {
namespace {

void AddFigure(const std::string& name, const std::string& label, double value, double floor, v1::Quality* quality) {
  v1::Figure& figure = *quality->add_figures();
  figure.set_name(name);
  figure.set_label(label);
  figure.set_value(value);
  figure.set_low(value - 0.01);
  figure.set_high(value + 0.01);
  figure.mutable_floor()->set_value(floor);
  figure.mutable_floor()->set_low(floor - 0.01);
  figure.mutable_floor()->set_high(floor + 0.01);
}

// Half as good as real people in coverage, a third in linkage, at the floor in frequencies, 0.1 off in accuracy.
v1::Quality Figures() {
  v1::Quality quality;
  AddFigure("cover.f1", "", 0.4, 0.8, &quality);
  AddFigure("ld.r2_rmse", "", 0.03, 0.01, &quality);
  AddFigure("af.rmse", "", 0.01, 0.02, &quality);
  AddFigure("privacy.aa", "", 0.58, 0.48, &quality);
  AddFigure("mia.auc", "distance", 0.5, 0.5, &quality);
  return quality;
}

TEST(ScoreTest, IsTheFidelityWhereNoLimitIsBroken) {
  const v1::Validation validation = ScoreFigures(DefaultGate(), Figures());
  EXPECT_NEAR(validation.fidelity(), (0.5 + 1.0 / 3 + 1 + 0.8) / 4, 1e-12);
  EXPECT_EQ(validation.score(), validation.fidelity());
  EXPECT_EQ(validation.broken_limits(), 0);
  ASSERT_EQ(validation.figures_size(), 5);
  EXPECT_EQ(validation.figures(4).name(), "mia.auc of distance");
  EXPECT_EQ(validation.figures(4).value(), 0.5);
}

TEST(ScoreTest, ABrokenPrivacyLimitCountsMoreThanAllFidelity) {
  v1::Quality copies;
  AddFigure("cover.f1", "", 0.8, 0.8, &copies);
  AddFigure("ld.r2_rmse", "", 0.01, 0.01, &copies);
  AddFigure("af.rmse", "", 0.02, 0.02, &copies);
  AddFigure("privacy.aa", "", 0.48, 0.48, &copies);
  AddFigure("mia.auc", "distance", 0.7, 0.5, &copies);
  const v1::Validation one = ScoreFigures(DefaultGate(), copies);
  EXPECT_EQ(one.broken_limits(), 1);
  EXPECT_EQ(one.fidelity(), 1);
  EXPECT_EQ(one.score(), -1);
  EXPECT_LT(one.score(), ScoreFigures(DefaultGate(), v1::Quality()).score()) << "than nothing at all";
  AddFigure("privacy.loss", "", 0.2, 0, &copies);
  EXPECT_LT(ScoreFigures(DefaultGate(), copies).score(), one.score());
}

TEST(ScoreTest, FidelityLimitsOfTheGateAreNoneOfPrivacy) {
  v1::Quality quality = Figures();
  AddFigure("cover.pairwise_mean_ratio", "", 0.1, 1, &quality);
  EXPECT_EQ(ScoreFigures(DefaultGate(), quality).broken_limits(), 0);
}

TEST(ScoreTest, WhatCouldNotBeMeasuredCountsNothing) {
  v1::Quality quality = Figures();
  v1::Figure& coverage = *quality.mutable_figures(0);
  coverage.clear_value();
  coverage.set_reason("too few");
  EXPECT_NEAR(ScoreFigures(DefaultGate(), quality).fidelity(), (1.0 / 3 + 1 + 0.8) / 4, 1e-12);
}

// A generator and its people.
class ValidatorTest : public testing::Test {
 protected:
  static TrainingSet People(size_t samples) {
    TrainingSet people;
    people.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 2 * samples, 4);
    for (size_t row = 0; row < 2 * samples; ++row) {
      for (size_t v = 0; v < 4; ++v) {
        const bool often = (row / 2 % 2 == 0) == (v < 2);
        people.genotypes.Set(row, v, (row * 7 + v * 3) % 10 < (often ? 7 : 3) ? 1 : 0);
      }
    }
    for (size_t i = 0; i < samples; ++i) people.labels.push_back(static_cast<int>(i % 2));
    return people;
  }

  const TinyGenerator tiny_{1};
  const TrainingSet training_ = People(4000);
  const TrainingSet holdout_ = People(1200);
};

TEST_F(ValidatorTest, MeasuresABoundedCohortAndTheSameOneEachTime) {
  const std::string note;
  const Validator validator(tiny_.manifest, {training_, holdout_, {}, tiny_.variants, note}, DefaultGate(),
                            DeviceKind::kCpu);
  int tiles = 0;
  const auto count = [&tiles] {
    ++tiles;
    return false;
  };
  const absl::StatusOr<v1::Validation> validation = validator.Validate(tiny_.weights, count);
  ASSERT_TRUE(validation.ok()) << validation.status();
  EXPECT_GT(validation->fidelity(), 0);
  EXPECT_GT(tiles, 1);
  const absl::StatusOr<v1::Validation> again = validator.Validate(tiny_.weights, [] { return false; });
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->SerializeAsString(), validation->SerializeAsString());
  int asked = 0;
  const auto soon = [&asked] { return ++asked > 2; };
  EXPECT_TRUE(absl::IsCancelled(validator.Validate(tiny_.weights, soon).status()));
}

}  // namespace
}  // namespace genoserve
