#include "client/cli/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

v1::Manifest Mice() {
  v1::Manifest manifest;
  v1::PhenotypeSchema* weight = manifest.add_phenotypes();
  weight->set_name("body_weight");
  weight->mutable_continuous()->set_minimum(-5);
  weight->mutable_continuous()->set_maximum(30);
  weight->mutable_continuous()->set_unit("g");
  v1::PhenotypeSchema* colour = manifest.add_phenotypes();
  colour->set_name("coat_colour");
  colour->mutable_categorical()->add_levels("black");
  colour->mutable_categorical()->add_levels("white");
  v1::PhenotypeSchema* sex = manifest.add_phenotypes();
  sex->set_name("sex");
  sex->mutable_categorical()->add_levels("1");
  sex->mutable_categorical()->add_levels("2");
  return manifest;
}

TEST(ParseModelNameTest, SplitsAtTheAt) {
  EXPECT_EQ(*ParseModelName("five"), std::make_pair(std::string("five"), std::string()));
  EXPECT_EQ(*ParseModelName("five@12"), std::make_pair(std::string("five"), std::string("12")));
  for (const char* bad : {"", "@1", "five@", "five@1@2"}) {
    EXPECT_THAT(Message(ParseModelName(bad).status()), HasSubstr("NAME@VERSION")) << bad;
  }
}

TEST(ParsePopulationsTest, ReadsCountsInTheirOrder) {
  v1::Condition condition;
  EXPECT_EQ(*ParsePopulations("EUR:500,AFR:250,x:y:3", &condition), 753);
  ASSERT_EQ(condition.label_counts().counts_size(), 3);
  EXPECT_EQ(condition.label_counts().counts(0).label(), "EUR");
  EXPECT_EQ(condition.label_counts().counts(1).count(), 250);
  EXPECT_EQ(condition.label_counts().counts(2).label(), "x:y");
}

TEST(ParsePopulationsTest, ReadsProportionsWhereANumberHasAPoint) {
  v1::Condition condition;
  EXPECT_EQ(*ParsePopulations("EUR:0.25,AFR:3", &condition), 0);
  ASSERT_EQ(condition.label_proportions().proportions_size(), 2);
  EXPECT_EQ(condition.label_proportions().proportions(0).proportion(), 0.25);
  EXPECT_EQ(condition.label_proportions().proportions(1).proportion(), 3);
}

TEST(ParsePopulationsTest, RefusesWhatIsNeither) {
  for (const char* bad : {"", "EUR", ":5", "EUR:", "EUR:0", "EUR:-3", "EUR:x", "EUR:5,", "EUR:0.0", "EUR:-0.5",
                          "EUR:nan,AFR:0.5", "EUR:9223372036854775807,AFR:1", "EUR:1e3"}) {
    v1::Condition condition;
    EXPECT_THAT(Message(ParsePopulations(bad, &condition).status()), HasSubstr("--pop")) << bad;
  }
  v1::Condition condition;
  EXPECT_THAT(Message(ParsePopulations("EUR:1,AFR:2,EUR:3", &condition).status()), HasSubstr("EUR comes twice"));
}

TEST(CheckLabelsTest, NamesTheLabelsThatThereAre) {
  v1::Manifest manifest;
  v1::Condition condition;
  EXPECT_TRUE(CheckLabels(condition, manifest).ok());
  ASSERT_TRUE(ParsePopulations("AFR:1,EUR:2", &condition).ok());
  manifest.add_labels()->set_name("AFR");
  EXPECT_EQ(CheckLabels(condition, manifest).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(CheckLabels(condition, manifest)), HasSubstr("\"EUR\"; it has AFR"));
  manifest.add_labels()->set_name("EUR");
  EXPECT_TRUE(CheckLabels(condition, manifest).ok());
}

TEST(ParsePhenotypeTest, ReadsContinuousValues) {
  EXPECT_EQ(ParsePhenotype("body_weight=24.5", Mice(), false)->number(), 24.5);
  const auto normal = ParsePhenotype("body_weight=normal(24,4)", Mice(), false);
  EXPECT_EQ(normal->normal().mean(), 24);
  EXPECT_EQ(normal->normal().standard_deviation(), 4);
  const auto uniform = ParsePhenotype("body_weight=uniform(-1.5, 2e1)", Mice(), false);
  EXPECT_EQ(uniform->uniform().low(), -1.5);
  EXPECT_EQ(uniform->uniform().high(), 20);
  for (const char* bad : {"body_weight=heavy", "body_weight=nan", "body_weight=normal(24)", "body_weight=normal(24,-4)",
                          "body_weight=uniform(2,1)", "body_weight=normal(1,2", "body_weight=normal(1,2)x"}) {
    EXPECT_THAT(Message(ParsePhenotype(bad, Mice(), false).status()), HasSubstr("normal(MEAN,SD)")) << bad;
  }
}

TEST(ParsePhenotypeTest, ValuesOutsideTheTrainingRangeAreForThoseWhoAskToExtrapolate) {
  for (const char* value : {"30.5", "normal(30.5,1)", "uniform(0,30.5)", "-5.01"}) {
    const std::string text = absl::StrCat("body_weight=", value);
    const absl::Status refused = ParsePhenotype(text, Mice(), false).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << value;
    EXPECT_THAT(Message(refused), HasSubstr("the training range, -5 to 30 g; --extrapolate allows -40 to 65 g"));
    EXPECT_TRUE(ParsePhenotype(text, Mice(), true).ok()) << value;
  }
  EXPECT_THAT(Message(ParsePhenotype("body_weight=65.5", Mice(), true).status()),
              HasSubstr("65.5 is outside what --extrapolate allows, -40 to 65 g; the training range is -5 to 30 g"));
}

TEST(ParsePhenotypeTest, ReadsLevelsEvenWhereTheyLookLikeNumbers) {
  EXPECT_EQ(ParsePhenotype("coat_colour=black", Mice(), false)->level(), "black");
  EXPECT_EQ(ParsePhenotype("sex=2", Mice(), false)->level(), "2");
  const auto shares = ParsePhenotype("coat_colour=black:3,white:1", Mice(), false);
  ASSERT_EQ(shares->levels().proportions_size(), 2);
  EXPECT_EQ(shares->levels().proportions(0).proportion(), 3);
  const absl::Status unknown = ParsePhenotype("coat_colour=green", Mice(), false).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(unknown), HasSubstr("\"green\"; it has black, white"));
  EXPECT_THAT(Message(ParsePhenotype("coat_colour=black:0", Mice(), false).status()), HasSubstr("LEVEL:SHARE"));
}

TEST(ParsePhenotypeTest, NamesThePhenotypesThatThereAre) {
  const absl::Status unknown = ParsePhenotype("height=2", Mice(), false).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(unknown), HasSubstr("\"height\"; it has body_weight, coat_colour, sex"));
  for (const char* bad : {"height", "=2", "height="}) {
    EXPECT_THAT(Message(ParsePhenotype(bad, Mice(), false).status()), HasSubstr("NAME=VALUE")) << bad;
  }
}

TEST(ParseShardTest, PartsJoinToTheWholeOnBlocksOfTheDigest) {
  for (const int64_t size : {1, 2, 1023, 1024, 1025, 5000, 1'000'000'007}) {
    for (const int64_t parts : {1, 2, 3, 7, 16}) {
      if (parts > size) continue;
      int64_t next = 0;
      for (int64_t i = 1; i <= parts; ++i) {
        const auto range = ParseShard(std::to_string(i) + "/" + std::to_string(parts), size);
        ASSERT_TRUE(range.ok());
        EXPECT_EQ(range->first, next);
        EXPECT_GE(range->count, 1);
        if (size >= parts * 1024) {
          EXPECT_EQ(range->first % 1024, 0);
        }
        next += range->count;
      }
      EXPECT_EQ(next, size);
    }
  }
}

TEST(ParseShardTest, RefusesPartsThatAreNone) {
  for (const char* bad : {"", "1", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3"}) {
    EXPECT_THAT(Message(ParseShard(bad, 100).status()), HasSubstr("1 <= I <= N")) << bad;
  }
  EXPECT_THAT(Message(ParseShard("1/101", 100).status()), HasSubstr("cannot be cut into 101"));
}

class RegionsFileTest : public FolderTest {
 protected:
  absl::StatusOr<std::vector<v1::Region>> Read(const std::string& name, const std::string& text) {
    return ReadRegionsFile(Write(name, text));
  }
};

TEST_F(RegionsFileTest, ReadsTabSeparatedAndBed) {
  const auto table = Read("a.txt", "# comment\nchr1\t100\t200\r\n\nchr2\t5\nchr3\n");
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->size(), 3);
  EXPECT_EQ((*table)[0].start(), 100);
  EXPECT_EQ((*table)[0].end(), 200);
  EXPECT_EQ((*table)[1].end(), 5);
  EXPECT_EQ((*table)[2].end(), 0);
  const auto bed = Read("a.bed", "chr1\t0\t200\tname\n");
  ASSERT_TRUE(bed.ok()) << bed.status();
  EXPECT_EQ((*bed)[0].start(), 1);
  EXPECT_EQ((*bed)[0].end(), 200);
}

TEST_F(RegionsFileTest, NamesTheLineThatIsWrong) {
  EXPECT_THAT(Message(Read("b.txt", "chr1\t1\nchr1\tx\t2\n").status()), HasSubstr("b.txt:2: "));
  EXPECT_THAT(Message(Read("c.txt", "chr1\t0\t2\n").status()), HasSubstr(":1: "));
  EXPECT_THAT(Message(Read("d.txt", "chr1\t9\t2\n").status()), HasSubstr(":1: "));
  EXPECT_THAT(Message(Read("e.bed", "chr1\t5\t5\n").status()), HasSubstr(":1: "));
  EXPECT_THAT(Message(Read("f.bed", "chr1\t5\n").status()), HasSubstr(":1: "));
  EXPECT_THAT(Message(Read("g.txt", "#\n").status()), HasSubstr("holds no regions"));
  EXPECT_EQ(ReadRegionsFile("/nowhere/regions").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace genoserve
