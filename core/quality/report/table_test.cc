#include "core/quality/report/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_split.h"
#include "core/quality/report/test_quality.h"

namespace genoserve {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(TableTest, ShowsEachFigureWithItsYardsticksAndVerdict) {
  const std::string table = RenderTable(TestQuality());
  EXPECT_THAT(table, ContainsRegex("Linkage: limited +value +95 % interval +floor +naive\n"));
  EXPECT_THAT(table, ContainsRegex("  ld.r2_rmse +0.0297  \\[0.0276, 0.0318\\] +0.0233 +0.1239  good\n"));
  EXPECT_THAT(table, ContainsRegex("  mia.auc +distance +0.623  \\[0.606, 0.640\\] +0.498 +0.504  BAD\n"));
  EXPECT_THAT(table,
              ContainsRegex("  gwas.beta_r +height +- +- +-  -\n    The phenotype is constant in the hold-out.\n"));
}

TEST(TableTest, ShowsAlleleFrequenciesByLabel) {
  const std::string table = RenderTable(TestQuality());
  EXPECT_THAT(table, ContainsRegex("Allele frequencies by label +n +r +RMSE +largest difference\n"));
  EXPECT_THAT(table, ContainsRegex("\n  TSI +10,346 +0.9[0-9]+ +0.0[0-9]+ +0.2[0-9]+\n"));
  // Not twice: among the figures they are only counted.
  EXPECT_THAT(table, Not(ContainsRegex("af.pearson +TSI")));
  EXPECT_THAT(table, HasSubstr("by label (26): "));
}

TEST(TableTest, EndsWithTheGateHardLimitsFirst) {
  v1::Quality quality = TestQuality();
  const std::string table = RenderTable(quality);
  EXPECT_THAT(table, HasSubstr("\nGate default: refused, 11 figures judged\n"
                               "  mia.auc of distance (hard limit): 0.623 (0.606 to 0.640) is above 0.55: an attacker "
                               "can tell who was in the training\n"
                               "  pca.w1: 0.361 is above 0.35: the population structure is another\n"));
  EXPECT_EQ(table.back(), '\n');
  quality.mutable_gate()->set_published_anyway(true);
  EXPECT_THAT(RenderTable(quality), HasSubstr("Published in spite of this.\n"));
  quality.clear_gate();
  EXPECT_THAT(RenderTable(quality), Not(HasSubstr("Gate")));
}

TEST(TableTest, FitsTheTerminal) {
  for (const absl::string_view line : absl::StrSplit(RenderTable(TestQuality()), '\n')) {
    EXPECT_LE(line.size(), 120) << line;
  }
}

TEST(TableTest, DataCannotSteerTheTerminal) {
  v1::Quality quality;
  v1::Figure& figure = *quality.add_figures();
  figure.set_name("af.pearson");
  figure.set_label("a\x1B[2Jb\nGate default: passed");
  figure.set_reason("one\ntwo");
  const std::string table = RenderTable(quality);
  EXPECT_THAT(table, Not(HasSubstr("\x1B")));
  EXPECT_THAT(table, Not(HasSubstr("\nGate")));
  EXPECT_THAT(table, HasSubstr("    One two.\n"));
}

TEST(TableTest, AnEmptyMessageIsATable) { EXPECT_THAT(RenderTable(v1::Quality()), HasSubstr("0 samples")); }

}  // namespace
}  // namespace genoserve
