#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/genotype/panel.h"
#include "core/genotype/phenotype_table.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(PanelTest, LabelsFollowTheSamplesAskedFor) {
  const Panel panel =
      Panel::Create({"pop", "super_pop"}, {{"a", "GBR", "EUR"}, {"b", "YRI", "AFR"}, {"c", "FIN", "EUR"}}).value();
  const Labels labels = panel.LabelsOf({"c", "b"}, "super_pop").value();
  EXPECT_THAT(labels.names, ElementsAre("AFR", "EUR"));
  EXPECT_THAT(labels.codes, ElementsAre(1, 0));
}

TEST(PanelTest, SaysWhatIsMissing) {
  const Panel panel = Panel::Create({"pop"}, {{"a", "GBR"}, {"b", ""}}).value();
  EXPECT_THAT(Message(panel.LabelsOf({"x"}, "pop").status()), HasSubstr("sample x is not in the panel"));
  EXPECT_THAT(Message(panel.LabelsOf({"b"}, "pop").status()), HasSubstr("sample b has no pop"));
  EXPECT_THAT(Message(panel.LabelsOf({"a"}, "region").status()), HasSubstr("no column \"region\"; it has pop"));
  EXPECT_THAT(Message(Panel::Create({"pop"}, {{"a", "x"}, {"a", "y"}}).status()), HasSubstr("sample a is there twice"));
  EXPECT_THAT(Message(Panel::Create({"pop"}, {{"a"}}).status()), HasSubstr("expected 2 columns, found 1"));
}

TEST(PhenotypeTableTest, ColumnsOfNumbersAreContinuousUnlessToldOtherwise) {
  const PhenotypeTable table =
      PhenotypeTable::Create({"a", "b", "c"}, {"weight", "colour", "sex"},
                             {{"1.5", "NA", "3"}, {"red", "", "blue"}, {"1", "2", "1"}}, {"sex"})
          .value();
  ASSERT_TRUE(table.columns()[0].is_continuous());
  EXPECT_TRUE(std::isnan(table.columns()[0].continuous().values[1]));
  ASSERT_FALSE(table.columns()[1].is_continuous());
  EXPECT_THAT(table.columns()[1].categorical().levels, ElementsAre("blue", "red"));
  EXPECT_THAT(table.columns()[1].categorical().codes, ElementsAre(1, -1, 0));
  EXPECT_THAT(table.columns()[2].categorical().codes, ElementsAre(0, 1, 0));
}

TEST(PhenotypeTableTest, SelectsInTheOrderAskedForAndFillsInMissing) {
  const PhenotypeTable table =
      PhenotypeTable::Create({"a", "b", "c"}, {"w", "col"}, {{"1", "2", "3"}, {"x", "y", "z"}}, {}).value();
  const PhenotypeTable some = table.Select({"c", "stranger", "a"}, {"col", "w"}).value();
  EXPECT_THAT(some.columns()[0].categorical().levels, ElementsAre("x", "z")) << "levels of nobody are dropped";
  EXPECT_THAT(some.columns()[0].categorical().codes, ElementsAre(1, -1, 0));
  EXPECT_EQ(some.columns()[1].continuous().values[0], 3);
  EXPECT_TRUE(std::isnan(some.columns()[1].continuous().values[1]));
}

TEST(PhenotypeTableTest, SaysWhatIsWrong) {
  const auto create = [](std::vector<std::string> samples, std::vector<std::vector<std::string>> cells,
                         std::vector<std::string> categorical) {
    return PhenotypeTable::Create(std::move(samples), {"w"}, cells, categorical);
  };
  EXPECT_THAT(Message(create({"a", "a"}, {{"1", "2"}}, {}).status()), HasSubstr("sample a is there twice"));
  EXPECT_THAT(Message(create({"a"}, {{"1e999"}}, {}).status()), HasSubstr("sample a: w"));
  EXPECT_THAT(Message(create({"a"}, {{"1"}}, {"v"}).status()), HasSubstr("no phenotype \"v\"; there are w"));
  const PhenotypeTable table = create({"a"}, {{"1"}}, {}).value();
  EXPECT_THAT(Message(table.Select({"a"}, {"v"}).status()), HasSubstr("no phenotype \"v\"; there are w"));
  EXPECT_THAT(Message(table.Select({"z"}, {"w"}).status()), HasSubstr("none of the samples"));
  EXPECT_THAT(Message(table.Select({"a"}, {"w", "w"}).status()), HasSubstr("\"w\" is asked for twice"));
}

TEST(PhenotypeTableTest, NumbersAreValuesOrIndicesOfLevels) {
  const PhenotypeColumn colour{"colour", CategoricalValues{{"black", "grey", "white"}, {0, 2, -1, 1}}};
  const std::vector<double> numbers = NumbersOf(colour, {"white", "black"});
  EXPECT_EQ(numbers[0], 1);
  EXPECT_EQ(numbers[1], 0);
  EXPECT_TRUE(std::isnan(numbers[2])) << "missing";
  EXPECT_TRUE(std::isnan(numbers[3])) << "grey is not among the levels";
  EXPECT_EQ(NumbersOf({"weight", ContinuousValues{{2.5}}}, {})[0], 2.5);
}

}  // namespace
}  // namespace genoserve
