#include "core/quality/gate.h"

#include <gmock/gmock.h>

#include <limits>

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

v1::Figure Figure(const char* name, double value, double low, double high) {
  v1::Figure figure;
  figure.set_name(name);
  figure.set_value(value);
  figure.set_low(low);
  figure.set_high(high);
  figure.set_n(100);
  return figure;
}

void SetReference(double value, double low, double high, v1::Reference* reference) {
  reference->set_value(value);
  reference->set_low(low);
  reference->set_high(high);
}

v1::GateResult JudgeOne(const char* limits, v1::Figure& figure) {
  google::protobuf::RepeatedPtrField<v1::Figure> figures;
  *figures.Add() = figure;
  const v1::GateResult result = Judge(ParseGate(limits).value(), "test", &figures);
  figure = figures[0];
  return result;
}

TEST(GateTest, BoundsAreWrittenIntoTheFigure) {
  v1::Figure figure = Figure("af.pearson", 0.93, 0.92, 0.94);
  EXPECT_TRUE(JudgeOne("limits { figure: 'af.pearson' minimum: 0.9 }", figure).passed());
  EXPECT_EQ(figure.minimum(), 0.9);
  EXPECT_FALSE(figure.has_maximum());
  const v1::GateResult result =
      JudgeOne("limits { figure: 'af.pearson' minimum: 0.95 why: 'they are off' hard: true }", figure);
  EXPECT_FALSE(result.passed());
  EXPECT_EQ(result.judged(), 1);
  EXPECT_TRUE(result.breaches(0).hard());
  EXPECT_THAT(result.breaches(0).message(),
              AllOf(HasSubstr("af.pearson"), HasSubstr("is 0.93, and must be at least 0.95: they are off")));
}

TEST(GateTest, AnIntervalIsBeyondTheBoundAsAWholeOrNotAtAll) {
  v1::Figure figure = Figure("privacy.loss", 0.05, 0.02, 0.08);
  EXPECT_TRUE(JudgeOne("limits { figure: 'privacy.loss' maximum: 0.03 interval: true }", figure).passed());
  EXPECT_FALSE(JudgeOne("limits { figure: 'privacy.loss' maximum: 0.03 }", figure).passed());
  figure.set_low(0.031);
  EXPECT_FALSE(JudgeOne("limits { figure: 'privacy.loss' maximum: 0.03 interval: true }", figure).passed());
}

TEST(GateTest, GapsLieBetweenFloorAndNaive) {
  v1::Figure figure = Figure("ld.r2_rmse", 0.05, 0.04, 0.06);
  SetReference(0.02, 0.01, 0.03, figure.mutable_floor());
  SetReference(0.10, 0.09, 0.11, figure.mutable_naive());
  EXPECT_TRUE(JudgeOne("limits { figure: 'ld.r2_rmse' floor_gap: 0.5 }", figure).passed());
  EXPECT_DOUBLE_EQ(figure.maximum(), 0.07) << "the floor's interval ends at 0.03; half of the way is 0.04";
  EXPECT_FALSE(JudgeOne("limits { figure: 'ld.r2_rmse' floor_gap: 0.2 }", figure).passed());
  EXPECT_FALSE(JudgeOne("limits { figure: 'ld.r2_rmse' floor_margin: 0.01 }", figure).passed());
  v1::Figure alone = Figure("ld.r2_rmse", 0.05, 0.04, 0.06);
  EXPECT_THAT(JudgeOne("limits { figure: 'ld.r2_rmse' floor_margin: 1 }", alone).breaches(0).message(),
              HasSubstr("cannot be judged"));
  // Naive draws that are as good as real people leave nothing to tell by.
  SetReference(0.025, 0.02, 0.03, figure.mutable_naive());
  const v1::GateResult result = JudgeOne("limits { figure: 'ld.r2_rmse' floor_gap: 0.25 }", figure);
  EXPECT_TRUE(result.passed());
  EXPECT_EQ(result.judged(), 0);
}

TEST(GateTest, AFigureWithoutAValueBreaksTheLimitUnlessItIsOptional) {
  v1::Figure figure;
  figure.set_name("ld.r2_rmse");
  figure.set_reason("no pairs");
  EXPECT_THAT(JudgeOne("limits { figure: 'ld.r2_rmse' maximum: 1 }", figure).breaches(0).message(),
              HasSubstr("could not be measured: no pairs"));
  EXPECT_TRUE(JudgeOne("limits { figure: 'ld.r2_rmse' maximum: 1 optional: true }", figure).passed());
  EXPECT_THAT(JudgeOne("limits { figure: 'af.pearson' minimum: 1 }", figure).breaches(0).message(),
              HasSubstr("af.pearson was not measured"));
  v1::Figure undefined = Figure("ld.r2_rmse", std::numeric_limits<double>::quiet_NaN(), 0, 0);
  EXPECT_FALSE(JudgeOne("limits { figure: 'ld.r2_rmse' maximum: 1 }", undefined).passed());
}

TEST(GateTest, LabelsAreChosenByNameOrAllOfThem) {
  v1::Figure figure = Figure("af.pearson", 0.8, 0.8, 0.8);
  figure.set_label("EUR");
  EXPECT_FALSE(JudgeOne("limits { figure: 'af.pearson' label: 'EUR' minimum: 0.9 }", figure).passed());
  EXPECT_FALSE(JudgeOne("limits { figure: 'af.pearson' label: '*' minimum: 0.9 }", figure).passed());
  EXPECT_TRUE(JudgeOne("limits { figure: 'af.pearson' minimum: 0.9 optional: true }", figure).passed());
  EXPECT_TRUE(JudgeOne("limits { figure: 'af.pearson' label: '*' minimum: 0.9 smallest_n: 200 }", figure).passed());
}

TEST(GateTest, ALimitThatNoFigureAnswersToIsABreach) {
  v1::Figure figure = Figure("mia.auc", 0.5, 0.5, 0.5);
  figure.set_label("distance");
  const v1::GateResult result = JudgeOne("limits { figure: 'mia.auc' label: 'distnce' maximum: 1 }", figure);
  EXPECT_THAT(result.breaches(0).message(), HasSubstr("has no label \"distnce\"; it has distance"));
  EXPECT_EQ(result.judged(), 1);
  v1::Figure plain = Figure("af.pearson", 1, 1, 1);
  EXPECT_FALSE(JudgeOne("limits { figure: 'af.pearson' label: '*' minimum: 0 }", plain).passed());
  google::protobuf::RepeatedPtrField<v1::Figure> none;
  const v1::GateResult nothing = Judge(DefaultGate(), "default", &none);
  EXPECT_FALSE(nothing.passed());
  EXPECT_EQ(nothing.breaches_size(), 1);
  EXPECT_THAT(nothing.breaches(0).message(), HasSubstr("no figures of quality"));
}

TEST(GateTest, SaysWhatIsWrongWithAGateFile) {
  const auto error = [](const char* text) { return std::string(ParseGate(text).status().message()); };
  EXPECT_THAT(error("limits { figure: 'af.pearson'\n minimal: 2 }"), HasSubstr("line 2"));
  EXPECT_THAT(error("limits { figure: 'af.pearsn' minimum: 1 }"),
              AllOf(HasSubstr("there is no figure \"af.pearsn\""), HasSubstr("af.pearson")));
  EXPECT_THAT(error("limits { figure: 'af.pearson' }"), HasSubstr("has no bound"));
  EXPECT_THAT(error(""), HasSubstr("no limits"));
  EXPECT_THAT(error("limits { figure: 'af.pearson' minimum: nan }"), HasSubstr("is no number"));
  EXPECT_THAT(error("limits { figure: 'af.pearson' minimum: 2 maximum: 1 }"), HasSubstr("above its maximum"));
  EXPECT_THAT(error("limits { figure: 'af.pearson' floor_gap: -1 }"), HasSubstr("under 0"));
  EXPECT_THAT(std::string(ReadGate("/nowhere/x.gate").status().message()), HasSubstr("/nowhere/x.gate"));
  EXPECT_GT(ReadGate("default").value().limits_size(), 8);
}

}  // namespace
}  // namespace genoserve
