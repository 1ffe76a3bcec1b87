#include "core/io/sample_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SampleTablesTest : public FolderTest {
 protected:
  std::string PanelError(absl::string_view text) const {
    const auto panel = ReadPanel(Write("panel.tsv", text));
    EXPECT_EQ(panel.status().code(), absl::StatusCode::kInvalidArgument) << text;
    return Message(panel.status());
  }
};

TEST_F(SampleTablesTest, ReadsThePanelOf1000Genomes) {
  // Its header really ends in two tabs.
  const auto panel = ReadPanel(
      Write("panel.tsv", "sample\tpop\tsuper_pop\tgender\t\t\nHG00096\tGBR\tEUR\tmale\nNA18486\tYRI\tAFR\tmale\n"));
  ASSERT_TRUE(panel.ok()) << panel.status();
  EXPECT_THAT(panel->columns(), ElementsAre("pop", "super_pop", "gender"));
  const Labels labels = panel->LabelsOf({"NA18486", "HG00096"}, "super_pop").value();
  EXPECT_THAT(labels.names, ElementsAre("AFR", "EUR"));
  EXPECT_THAT(labels.codes, ElementsAre(0, 1));
}

TEST_F(SampleTablesTest, FindsTheColumnOfSamplesByName) {
  const std::string path = Write("igsr.tsv", "Sex\tSample name\tPopulation code\r\nfemale\tHG1\tGBR\r\n\r\n");
  EXPECT_THAT(ReadPanel(path)->samples(), ElementsAre("HG1"));
  EXPECT_THAT(ReadPanel(path)->columns(), ElementsAre("Sex", "Population code"));
  EXPECT_THAT(ReadPanel(Write("psam", "#FID IID  pop\n0  a   X\n0 b Y\n"))->samples(), ElementsAre("a", "b"));
  EXPECT_THAT(ReadPanel(Write("any", "person\tpop\np1\tX\n"))->samples(), ElementsAre("p1"));
  EXPECT_THAT(ReadPanel(Write("bom", "\xEF\xBB\xBFsample\tpop\np1\tX\n"))->samples(), ElementsAre("p1"));
}

TEST_F(SampleTablesTest, BadPanelsAreNamedWithTheirLine) {
  EXPECT_THAT(PanelError("sample\tpop\na\tX\nb\n"),
              HasSubstr("panel.tsv: line 3: expected 2 columns as in the header, separated by tabs, found 1"));
  EXPECT_THAT(PanelError("sample\tpop\na\tX\nb\tX\tY\n"), HasSubstr("line 3: expected 2 columns"));
  EXPECT_THAT(PanelError("sample\tpop\n\na\tX\nb\tX\na\tY\n"), HasSubstr("line 5: sample a is on line 3 already"));
  EXPECT_THAT(PanelError("sample\tpop\tpop\na\tX\tX\n"), HasSubstr("line 1: column pop is there twice"));
  EXPECT_THAT(PanelError("sample\t\tpop\na\tX\tX\n"), HasSubstr("line 1: column 2 has no name"));
  EXPECT_THAT(PanelError("sample\tpop\n\tX\n"), HasSubstr("line 2: the sample has no name"));
  EXPECT_THAT(PanelError("sample\tpop\n"), HasSubstr("has a header line but no samples"));
  EXPECT_THAT(PanelError(""), HasSubstr("is empty"));
  EXPECT_THAT(PanelError(absl::string_view("\x1f\x8b\0", 3)), HasSubstr("is not a text file"));
  EXPECT_EQ(ReadPanel(Path("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SampleTablesTest, ReadsPhenotypesInTheFormsOfPlink) {
  for (const char* text :
       {"IID\theight\tcoat\na\t1.5\tblack\nb\tNA\tbrown\n", "#FID IID height coat\n0 a 1.5 black\n0 b NA brown\n"}) {
    const auto table = ReadPhenotypes(Write("pheno", text), {});
    ASSERT_TRUE(table.ok()) << table.status();
    EXPECT_THAT(table->samples(), ElementsAre("a", "b"));
    ASSERT_EQ(table->columns().size(), 2u);
    EXPECT_EQ(table->columns()[0].name, "height");
    EXPECT_EQ(table->columns()[0].continuous().values[0], 1.5);
    EXPECT_TRUE(std::isnan(table->columns()[0].continuous().values[1]));
    EXPECT_THAT(table->columns()[1].categorical().levels, ElementsAre("black", "brown"));
  }
}

TEST_F(SampleTablesTest, EmptyCellsAreMissingAndNumbersCanBeCategories) {
  const auto table = ReadPhenotypes(Write("pheno", "IID\tsex\tbmi\na\t1\t\nb\t2\t20\n"), {"sex"});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_THAT(table->columns()[0].categorical().levels, ElementsAre("1", "2"));
  EXPECT_TRUE(std::isnan(table->columns()[1].continuous().values[0]));
}

TEST_F(SampleTablesTest, BadPhenotypesAreNamedWithTheirPlace) {
  const std::string path = Write("pheno", "IID\tbmi\na\t20\nb\tinf\n");
  EXPECT_THAT(Message(ReadPhenotypes(path, {}).status()),
              HasSubstr("pheno: sample b: bmi \"inf\" is not a finite number"));
  EXPECT_THAT(Message(ReadPhenotypes(path, {"sex"}).status()),
              HasSubstr("there is no phenotype \"sex\"; there are bmi"));
  EXPECT_THAT(Message(ReadPhenotypes(Write("p", "IID\na\n"), {}).status()), HasSubstr("has no phenotype"));
  EXPECT_THAT(Message(ReadPhenotypes(Write("p", "IID\tx\na\t1\na\t2\n"), {}).status()), HasSubstr("line 3: sample a"));
}

}  // namespace
}  // namespace genoserve
