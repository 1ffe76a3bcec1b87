#include "core/genotype/variant_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/sha256.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

VariantTable Table() {
  return VariantTable::Create({{"1", 100, "rs1", "A", "G"}, {"1", 200, ".", "C", "T"}, {"2", 50, "rs1", "G", "GA"}},
                              {{"1", 1000}})
      .value();
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST(VariantTableTest, GivesUniqueIdsAndKnowsItsContigs) {
  const VariantTable table = Table();
  EXPECT_EQ(table[0].id, "1:100:A:G") << "rs1 is there twice";
  EXPECT_EQ(table[1].id, "1:200:C:T");
  EXPECT_THAT(table.contigs(), ElementsAre(ContigRecord{"1", 1000}, ContigRecord{"2", 0}));
}

TEST(VariantTableTest, RefusesUnsortedRepeatedAndSplit) {
  EXPECT_THAT(Message(VariantTable::Create({{"1", 2, "", "A", "G"}, {"1", 1, "", "A", "G"}}, {}).status()),
              HasSubstr("variant 2 (1:1:A:G): comes after position 2"));
  EXPECT_THAT(Message(VariantTable::Create({{"1", 2, "a", "A", "G"}, {"1", 2, "b", "A", "G"}}, {}).status()),
              HasSubstr("is there twice"));
  EXPECT_THAT(
      Message(
          VariantTable::Create({{"1", 2, "", "A", "G"}, {"2", 2, "", "A", "G"}, {"1", 3, "", "A", "G"}}, {}).status()),
      HasSubstr("comes in two blocks"));
  EXPECT_FALSE(VariantTable::Create({{"1", 2, "", "A", ""}}, {}).ok());
  EXPECT_THAT(Message(VariantTable::Create({{"1", int64_t{1} << 31, "", "A", "G"}}, {}).status()),
              HasSubstr("ends after position 2147483647"));
  EXPECT_FALSE(VariantTable::Create({{"1", 2, "", "A", "G"}}, {{"1", int64_t{1} << 62}}).ok());
}

TEST(VariantTableTest, DigestIsThatOfItsText) {
  const VariantTable table = VariantTable::Create({{"1", 100, "rs1", "A", "G"}}, {}).value();
  EXPECT_EQ(table.Digest(), Sha256Hex("1\t100\trs1\tA\tG\n"));
}

TEST(VariantTableTest, SitesVcfRoundTrips) {
  const VariantTable table = Table();
  EXPECT_EQ(VariantTable::FromSitesVcf(table.ToSitesVcf()).value(), table);
  EXPECT_THAT(Message(VariantTable::FromSitesVcf("##x\n1\tten\t.\tA\tG\t.\t.\t.\n").status()), HasSubstr("line 2"));
  EXPECT_THAT(Message(VariantTable::FromSitesVcf("1\t10\t.\tA\n").status()), HasSubstr("expected 8 columns, found 4"));
}

TEST(VariantTableTest, FindsTheUnionOfRegionsOnceInFileOrder) {
  const VariantTable table = Table();
  EXPECT_THAT(table.Find({}).value(), SizeIs(3));
  EXPECT_THAT(table.Find({{"2", 0, 0}, {"1", 150, 0}, {"1", 200, 200}}).value(), ElementsAre(1, 2));
  EXPECT_EQ(table.Select({1, 2})[0].position, 200);
}

TEST(VariantTableTest, ARegionWithoutVariantsIsNotFound) {
  const auto found = Table().Find({{"1", 300, 400}});
  EXPECT_EQ(found.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(found.status()), HasSubstr("region 1:300-400"));
  EXPECT_THAT(Message(Table().Find({{"X", 0, 0}}).status()), HasSubstr("its contigs are 1, 2"));
  EXPECT_EQ(Table().Find({{"1", 5, 4}}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ParseRegionTest, TakesWhatSamtoolsTakes) {
  const auto parse = [](absl::string_view text) { return ParseRegion(text).value(); };
  EXPECT_EQ(parse("chr1").contig, "chr1");
  EXPECT_EQ(parse("chr1:1,000-2,000").start, 1000);
  EXPECT_EQ(parse("chr1:1,000-2,000").end, 2000);
  EXPECT_EQ(parse("1:5-").end, 0);
  EXPECT_EQ(parse("1:5").end, 5);
}

TEST(ParseRegionTest, RefusesTheRest) {
  for (const char* text : {"", ":1-2", "1:", "1:-5", "1:0-5", "1:9-5", "1:a-b", "1:5-x"}) {
    EXPECT_EQ(ParseRegion(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace genoserve
