#include "trainer/dataset/phenotype_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace genoserve {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const double kNan = std::nan("");

TEST(PhenotypeSchemaTest, ContinuousByHand) {
  // 0 to 200, so that the quantile p is 200 p; one value missing.
  std::vector<double> values = {kNan};
  for (int i = 200; i >= 0; --i) values.push_back(i);
  const v1::PhenotypeSchema schema = SchemaOf({"weight", ContinuousValues{values}}, false).value();
  EXPECT_EQ(schema.name(), "weight");
  const v1::ContinuousPhenotype& c = schema.continuous();
  EXPECT_DOUBLE_EQ(c.mean(), 100);
  EXPECT_NEAR(c.standard_deviation(), std::sqrt(201.0 * 202 / 12), 1e-9) << "n (n + 1) / 12 for 0 to n - 1";
  ASSERT_EQ(c.quantiles_size(), 101);
  EXPECT_NEAR(c.minimum(), 1, 1e-9) << "not the extreme sample, but the 0.5 % quantile";
  EXPECT_NEAR(c.maximum(), 199, 1e-9);
  EXPECT_NEAR(c.quantiles(0), 1, 1e-9);
  EXPECT_NEAR(c.quantiles(50), 100, 1e-9);
  EXPECT_NEAR(c.quantiles(99), 198, 1e-9);
  EXPECT_NEAR(c.quantiles(100), 199, 1e-9);
}

TEST(PhenotypeSchemaTest, OneValueHasNoSpread) {
  const v1::PhenotypeSchema schema = SchemaOf({"weight", ContinuousValues{{kNan, 4}}}, false).value();
  EXPECT_EQ(schema.continuous().standard_deviation(), 0);
  EXPECT_EQ(schema.continuous().maximum(), 4);
}

TEST(PhenotypeSchemaTest, CategoricalFrequenciesAreOfThoseWhoHaveAValue) {
  const PhenotypeColumn column{"colour", CategoricalValues{{"black", "white"}, {0, 1, -1, 1, 1}}};
  const v1::PhenotypeSchema schema = SchemaOf(column, false).value();
  EXPECT_THAT(schema.categorical().levels(), ElementsAre("black", "white"));
  EXPECT_THAT(schema.categorical().frequencies(), ElementsAre(DoubleEq(0.25), DoubleEq(0.75)));
}

TEST(PhenotypeSchemaTest, MissingValuesAskForAPresenceInput) {
  EXPECT_TRUE(SchemaOf({"weight", ContinuousValues{{4, kNan, 5}}}, false)->continuous().presence_input());
  EXPECT_FALSE(SchemaOf({"weight", ContinuousValues{{4, 4.5, 5}}}, false)->continuous().presence_input());
}

TEST(PhenotypeSchemaTest, ALogScaleIsByTheLogarithms) {
  const v1::PhenotypeSchema schema = SchemaOf({"weight", ContinuousValues{{1, kNan, std::exp(2.0)}}}, true).value();
  EXPECT_DOUBLE_EQ(schema.continuous().log().mean(), 1);
  EXPECT_DOUBLE_EQ(schema.continuous().log().standard_deviation(), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(schema.continuous().mean(), (1 + std::exp(2.0)) / 2) << "the rest stays in its unit";
  EXPECT_FALSE(SchemaOf({"weight", ContinuousValues{{1, 2}}}, false)->continuous().has_log());
}

TEST(PhenotypeSchemaTest, RefusesALogScaleOfWhatHasNoLogarithm) {
  EXPECT_THAT(std::string(SchemaOf({"weight", ContinuousValues{{3, 0, 2}}}, true).status().message()),
              HasSubstr("\"weight\" has the value 0, which has no logarithm"));
  const PhenotypeColumn column{"colour", CategoricalValues{{"black", "white"}, {0, 1}}};
  EXPECT_THAT(std::string(SchemaOf(column, true).status().message()), HasSubstr("\"colour\" has levels"));
}

TEST(PhenotypeSchemaTest, RefusesAPhenotypeOfNobody) {
  for (const bool log : {false, true}) {
    EXPECT_THAT(std::string(SchemaOf({"weight", ContinuousValues{{kNan}}}, log).status().message()),
                HasSubstr("\"weight\""));
  }
}

}  // namespace
}  // namespace genoserve
