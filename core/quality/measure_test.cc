#include "core/quality/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;

QualitySets WholeSets() {
  QualitySets sets;
  sets.variants = EvenVariants(60);
  sets.labels = {"north", "south"};
  sets.whole_training = TestCohort(1, 120, 60, true);
  sets.whole_holdout = TestCohort(2, 40, 60, true);
  sets.whole_synthetic = TestCohort(3, 60, 60, true);
  return sets;
}

TEST(MeasureTest, TheDecisiveFiguresAreThoseOfTheWholeMeasuring) {
  const auto go_on = [](absl::string_view, int, int) { return absl::OkStatus(); };
  QualitySets sets = WholeSets();
  v1::Quality whole;
  ASSERT_TRUE(MeasureQuality({}, &sets, go_on, &whole).ok());
  std::map<std::pair<std::string, std::string>, const v1::Figure*> by_name;
  for (const v1::Figure& figure : whole.figures()) by_name[{figure.name(), figure.label()}] = &figure;

  sets = WholeSets();
  v1::Quality quality;
  std::vector<std::string> stages;
  const auto progress = [&stages](absl::string_view stage, int, int) {
    stages.emplace_back(stage);
    return absl::OkStatus();
  };
  ASSERT_TRUE(MeasureDecisive({}, &sets, progress, &quality).ok());
  EXPECT_THAT(stages, ElementsAre("frequencies", "linkage", "distances", "membership", "done"));
  EXPECT_EQ(quality.inputs().samples_compared(), whole.inputs().samples_compared());
  EXPECT_TRUE(quality.charts().empty());
  std::map<std::string, double> values;
  for (const v1::Figure& figure : quality.figures()) {
    EXPECT_NE(figure.label(), "north") << figure.name();
    const auto same = by_name.find({figure.name(), figure.label()});
    ASSERT_NE(same, by_name.end()) << figure.name() << " " << figure.label();
    if (!figure.has_value()) continue;
    EXPECT_EQ(figure.value(), same->second->value()) << figure.name() << " " << figure.label();
    EXPECT_EQ(figure.floor().value(), same->second->floor().value()) << figure.name() << " " << figure.label();
    values[figure.name()] = figure.value();
  }
  for (const char* name : {"af.rmse", "ld.r2_rmse", "cover.f1", "privacy.aa", "privacy.loss", "mia.auc"}) {
    EXPECT_TRUE(values.contains(name)) << name;
  }
}

TEST(MeasureTest, StopsWhereTheProgressSaysSo) {
  QualitySets sets = WholeSets();
  v1::Quality quality;
  const auto stop = [](absl::string_view stage, int, int) {
    return stage == "linkage" ? absl::CancelledError("stopped") : absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsCancelled(MeasureDecisive({}, &sets, stop, &quality)));
}

}  // namespace
}  // namespace genoserve
