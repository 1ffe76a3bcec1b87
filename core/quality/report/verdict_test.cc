#include "core/quality/report/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace genoserve {
namespace {

constexpr FigureInfo kHigher = {"a", Family::kCoverage, Better::kHigher, "A", "", "", ""};
constexpr FigureInfo kLower = {"b", Family::kLinkage, Better::kLower, "B", "", "", ""};
constexpr FigureInfo kNear = {"c", Family::kLinkage, Better::kNearFloor, "C", "", "", ""};

void SetReference(double value, double half, v1::Reference* reference) {
  reference->set_value(value);
  reference->set_low(value - half);
  reference->set_high(value + half);
}

// Value, floor and naive draws, with intervals of this half width.
v1::Figure Between(double value, double floor, double naive, double half = 0.01) {
  v1::Figure figure;
  figure.set_value(value);
  figure.set_low(value - half);
  figure.set_high(value + half);
  SetReference(floor, half, figure.mutable_floor());
  SetReference(naive, half, figure.mutable_naive());
  return figure;
}

TEST(VerdictTest, ReadsThePlaceBetweenFloorAndNaiveDraws) {
  EXPECT_EQ(JudgeFigure(Between(0.10, 0.1, 0.9), kLower), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.05, 0.1, 0.9), kLower), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.29, 0.1, 0.9), kLower), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.32, 0.1, 0.9), kLower), Verdict::kLimited);
  EXPECT_EQ(JudgeFigure(Between(0.69, 0.1, 0.9), kLower), Verdict::kLimited);
  EXPECT_EQ(JudgeFigure(Between(0.71, 0.1, 0.9), kLower), Verdict::kBad);
  EXPECT_EQ(JudgeFigure(Between(1.5, 0.1, 0.9), kLower), Verdict::kBad);
}

TEST(VerdictTest, HigherIsTheSameUpsideDown) {
  EXPECT_EQ(JudgeFigure(Between(0.95, 0.9, 0.1), kHigher), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.50, 0.9, 0.1), kHigher), Verdict::kLimited);
  EXPECT_EQ(JudgeFigure(Between(0.15, 0.9, 0.1), kHigher), Verdict::kBad);
}

TEST(VerdictTest, NearTheFloorMoreIsAsWrongAsLess) {
  for (const double sign : {-1.0, 1.0}) {
    EXPECT_EQ(JudgeFigure(Between(1 + sign * 0.02, 1, 0.6), kNear), Verdict::kGood) << sign;
    EXPECT_EQ(JudgeFigure(Between(1 + sign * 0.20, 1, 0.6), kNear), Verdict::kLimited) << sign;
    EXPECT_EQ(JudgeFigure(Between(1 + sign * 0.35, 1, 0.6), kNear), Verdict::kBad) << sign;
  }
}

TEST(VerdictTest, WideIntervalsThatOverlapTheFloorAreKinderButNotBlind) {
  EXPECT_EQ(JudgeFigure(Between(0.40, 0.1, 0.9, 0.2), kLower), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.52, 0.1, 0.9, 0.22), kLower), Verdict::kLimited);
  EXPECT_EQ(JudgeFigure(Between(0.85, 0.1, 0.9, 0.38), kLower), Verdict::kLimited);
}

TEST(VerdictTest, WithoutAScaleTheIntervalOfTheFloorIsOne) {
  // Naive draws do as well as real people, as they do where membership is attacked.
  EXPECT_EQ(JudgeFigure(Between(0.515, 0.5, 0.5), kLower), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.535, 0.5, 0.5), kLower), Verdict::kLimited);
  EXPECT_EQ(JudgeFigure(Between(0.60, 0.5, 0.5), kLower), Verdict::kBad);
  EXPECT_EQ(JudgeFigure(Between(0.60, 0.5, 0.45), kLower), Verdict::kBad);
  v1::Figure alone = Between(0.60, 0.5, 0);
  alone.clear_naive();
  EXPECT_EQ(JudgeFigure(alone, kLower), Verdict::kBad);
  // A floor that never varies, such as no copies at all.
  EXPECT_EQ(JudgeFigure(Between(0.001, 0, 0, 0), kLower), Verdict::kBad);
  EXPECT_EQ(JudgeFigure(Between(0, 0, 0, 0), kLower), Verdict::kGood);
}

TEST(VerdictTest, NothingIsSaidWithoutValueOrFloor) {
  v1::Figure figure = Between(0.5, 0.5, 0.1);
  figure.clear_value();
  EXPECT_EQ(JudgeFigure(figure, kLower), Verdict::kNone);
  figure = Between(0.5, 0.5, 0.1);
  figure.clear_floor();
  EXPECT_EQ(JudgeFigure(figure, kLower), Verdict::kNone);
  figure = Between(std::numeric_limits<double>::quiet_NaN(), 0.5, 0.1);
  EXPECT_EQ(JudgeFigure(figure, kLower), Verdict::kNone);
}

TEST(VerdictTest, LikenessIsNoVerdictOnPrivacy) {
  constexpr FigureInfo kLikeness = {"d", Family::kPrivacy, Better::kNearFloor, "D", "", "", ""};
  EXPECT_EQ(JudgeFigure(Between(0.9, 0.5, 0.5), kLikeness), Verdict::kNone);
}

TEST(VerdictTest, NearNaiveDrawsIsNoFaultOfPrivacy) {
  constexpr FigureInfo kExcess = {"e", Family::kPrivacy, Better::kLower, "E", "", "", ""};
  // As in a panel whose floor happens to be low: the value overlaps it, though it is nearer to the naive draws.
  EXPECT_EQ(JudgeFigure(Between(-0.004, -0.010, 0, 0.004), kExcess), Verdict::kGood);
  EXPECT_EQ(JudgeFigure(Between(0.1, -0.010, 0, 0.004), kExcess), Verdict::kBad);
}

TEST(VerdictTest, AReferenceWithoutIntervalIsAPoint) {
  v1::Figure figure;
  figure.set_value(0.7);
  figure.mutable_floor()->set_value(0.5);
  figure.mutable_naive()->set_value(0.9);
  EXPECT_EQ(JudgeFigure(figure, kLower), Verdict::kLimited);
}

TEST(VerdictTest, WhatKeepsALimitOfPrivacyIsNotBad) {
  constexpr FigureInfo kExcess = {"e", Family::kPrivacy, Better::kLower, "E", "", "", ""};
  v1::Figure figure = Between(0.56, 0.5, 0.5);
  EXPECT_EQ(JudgeFigure(figure, kExcess), Verdict::kBad);
  figure.set_maximum(0.57);
  EXPECT_EQ(JudgeFigure(figure, kExcess), Verdict::kLimited);
  figure.set_maximum(0.555);  // within the interval, by which some limits are judged
  EXPECT_EQ(JudgeFigure(figure, kExcess), Verdict::kLimited);
  figure.set_maximum(0.52);
  EXPECT_EQ(JudgeFigure(figure, kExcess), Verdict::kBad);
  figure.set_maximum(0.57);
  EXPECT_EQ(JudgeFigure(figure, kLower), Verdict::kBad) << "limits of fidelity are looser than verdicts";
}

TEST(VerdictTest, WhatTellsOfUseIsNoVerdictOnPrivacy) {
  for (const char* name : {"attribute.accuracy_members", "attribute.accuracy_holdout", "kinship.duplicates",
                           "kinship.first_degree", "kinship.second_degree"}) {
    EXPECT_EQ(JudgeFigure(Between(0.9, 0.5, 0.1), *FindFigure(name)), Verdict::kNone) << name;
    EXPECT_EQ(JudgeFigure(Between(0.1, 0.5, 0.9), *FindFigure(name)), Verdict::kNone) << name;
  }
  for (const char* name : {"attribute.advantage", "kinship.duplicates_excess", "kinship.duplicates_training"}) {
    EXPECT_EQ(JudgeFigure(Between(0.9, 0.5, 0.1), *FindFigure(name)), Verdict::kBad) << name;
  }
}

TEST(VerdictTest, HitsThatRealPeopleDoNotShareAreNoYardstick) {
  const FigureInfo& overlap = *FindFigure("gwas.hit_overlap");
  EXPECT_EQ(JudgeFigure(Between(0.3, 0, 0, 0), overlap), Verdict::kNone);
  EXPECT_EQ(JudgeFigure(Between(0.3, 0.31, 0), overlap), Verdict::kGood);
}

TEST(VerdictTest, PrivacyIsBadByOneFigureButNotColouredByNoise) {
  using enum Verdict;
  const std::vector<Verdict> one_bad = {kGood, kGood, kGood, kGood, kNone, kBad};
  EXPECT_EQ(JudgeFamily(Family::kPrivacy, one_bad), kBad);
  EXPECT_EQ(JudgeFamily(Family::kUse, one_bad), kLimited);
  EXPECT_EQ(JudgeFamily(Family::kPrivacy, std::vector{kGood, kLimited}), kLimited);
  EXPECT_EQ(JudgeFamily(Family::kPrivacy, std::vector{kGood, kNone}), kGood);
  std::vector<Verdict> noise(9, kGood);
  noise.push_back(kLimited);
  EXPECT_EQ(JudgeFamily(Family::kPrivacy, noise), kGood);
  noise.push_back(kLimited);
  EXPECT_EQ(JudgeFamily(Family::kPrivacy, noise), kLimited);
}

TEST(VerdictTest, MostLabelsWeighOnTheFigureOfAll) {
  using enum Verdict;
  EXPECT_EQ(WithLabels(kGood, std::vector{kLimited, kBad, kGood}), kLimited);
  EXPECT_EQ(WithLabels(kGood, std::vector{kLimited, kGood}), kGood);
  EXPECT_EQ(WithLabels(kLimited, std::vector{kBad, kBad, kGood, kNone, kNone}), kBad);
  EXPECT_EQ(WithLabels(kBad, std::vector{kGood, kGood}), kBad);
  EXPECT_EQ(WithLabels(kNone, std::vector{kBad, kBad}), kNone);
  EXPECT_EQ(WithLabels(kGood, std::vector<Verdict>{}), kGood);
}

TEST(VerdictTest, OtherFamiliesAreAsTheMostOfTheirFigures) {
  using enum Verdict;
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector{kGood, kGood, kGood, kLimited}), kGood);
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector{kGood, kGood, kLimited}), kLimited);
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector{kGood, kBad}), kLimited);
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector{kGood, kBad, kBad}), kBad);
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector{kNone, kNone}), kNone);
  EXPECT_EQ(JudgeFamily(Family::kLinkage, std::vector<Verdict>{}), kNone);
}

}  // namespace
}  // namespace genoserve
