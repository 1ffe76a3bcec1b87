#include "core/model/condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "core/model/test_models.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

TEST(ConditionTest, StandardisesNumbersAndSpreadsLevels) {
  const v1::Manifest manifest = SmallWganGp(5);
  ASSERT_EQ(ConditionSize(manifest), 4U);
  std::array<float, 4> condition = {9, 9, 9, 9};
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{26, 1}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(1.5F, 0, 1, 0));
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{-20, 2}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(-10.0F, 0, 0, 1)) << "values far outside the training are not clamped";
}

TEST(ConditionTest, MissingValuesAreTheMeanAndNoLevel) {
  const v1::Manifest manifest = SmallWganGp(5);
  std::array<float, 4> condition = {9, 9, 9, 9};
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{kMissing, kMissing}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(0, 0, 0, 0));
}

TEST(ConditionTest, APresenceInputTellsMissingFromMean) {
  v1::Manifest manifest = SmallWganGp(5);
  manifest.mutable_phenotypes(0)->mutable_continuous()->set_presence_input(true);
  ASSERT_EQ(ConditionSize(manifest), 5U);
  std::array<float, 5> condition = {9, 9, 9, 9, 9};
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{20, 1}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(0, 1, 0, 1, 0));
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{kMissing, 1}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(0, 0, 0, 1, 0));
}

TEST(ConditionTest, ALogScale) {
  v1::Manifest manifest = SmallWganGp(5);
  v1::LogScale& log = *manifest.mutable_phenotypes(0)->mutable_continuous()->mutable_log();
  log.set_mean(2);
  log.set_standard_deviation(0.5);
  std::array<float, 4> condition{};
  for (const double value : {1e-300, 0.3, 0.70710678, 1.0, 1.5, 20.0, 12345.678, 1e300}) {
    ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{value, 0}, condition).ok());
    EXPECT_EQ(condition[0], static_cast<float>((std::log(value) - 2) / 0.5)) << value;
  }
  for (const double value : {0.0, -1.0}) {
    const absl::Status status = EncodeCondition(manifest, std::array<double, 2>{value, 0}, condition);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("weight are above 0"));
  }
}

TEST(ConditionTest, AConstantPhenotypeCarriesNothing) {
  v1::Manifest manifest = SmallWganGp(5);
  manifest.mutable_phenotypes(0)->mutable_continuous()->set_standard_deviation(0);
  std::array<float, 4> condition = {9, 9, 9, 9};
  ASSERT_TRUE(EncodeCondition(manifest, std::array<double, 2>{26, 0}, condition).ok());
  EXPECT_THAT(condition, ElementsAre(0, 1, 0, 0));
}

TEST(ConditionTest, RefusesWhatNoPhenotypeHas) {
  const v1::Manifest manifest = SmallWganGp(5);
  std::array<float, 4> condition{};
  for (const double level : {-1.0, 3.0, 0.5}) {
    const absl::Status status = EncodeCondition(manifest, std::array<double, 2>{20, level}, condition);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("coat"));
  }
  EXPECT_FALSE(EncodeCondition(manifest, std::array<double, 1>{20}, condition).ok());
  EXPECT_FALSE(
      EncodeCondition(manifest, std::array<double, 2>{std::numeric_limits<double>::infinity(), 0}, condition).ok());
}

}  // namespace
}  // namespace genoserve
