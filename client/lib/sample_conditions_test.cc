#include "client/lib/sample_conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

using ::testing::ElementsAre;

v1::SampleConditions Conditions() {
  v1::SampleConditions conditions;
  for (const char* label : {"a", "b", "c", "d"}) conditions.add_labels(label);
  v1::SamplePhenotype* number = conditions.add_phenotypes();
  for (const double value : {1.0, 2.0, 3.0, 4.0}) number->add_numbers(value);
  v1::SamplePhenotype* level = conditions.add_phenotypes();
  for (const char* value : {"w", "x", "y", "z"}) level->add_levels(value);
  return conditions;
}

TEST(SampleConditionsTest, CountsSamplesAndNoticesUnequalColumns) {
  EXPECT_EQ(SampleCountOf(Conditions()), 4);
  EXPECT_EQ(SampleCountOf(v1::SampleConditions()), 0);
  v1::SampleConditions unequal = Conditions();
  unequal.mutable_phenotypes(1)->add_levels("zz");
  EXPECT_EQ(SampleCountOf(unequal), -1);
  unequal = Conditions();
  unequal.add_phenotypes();
  EXPECT_EQ(SampleCountOf(unequal), -1);
}

TEST(SampleConditionsTest, SlicesEveryColumn) {
  v1::SampleConditions conditions = Conditions();
  SliceSamples(1, 2, &conditions);
  EXPECT_THAT(conditions.labels(), ElementsAre("b", "c"));
  EXPECT_THAT(conditions.phenotypes(0).numbers(), ElementsAre(2, 3));
  EXPECT_THAT(conditions.phenotypes(1).levels(), ElementsAre("x", "y"));
}

}  // namespace
}  // namespace genoserve
