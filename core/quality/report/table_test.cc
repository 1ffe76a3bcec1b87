#include "core/quality/report/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/quality/report/test_quality.h"

namespace genoserve {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TableTest, ShowsEachFigureWithItsYardsticksAndVerdict) {
  const std::string table = RenderTable(TestQuality());
  EXPECT_THAT(table, ContainsRegex("Linkage: limited +value +95 % interval +floor +naive\n"));
  EXPECT_THAT(table, ContainsRegex("  ld.r2_rmse +0.0297 \\[0.0276, 0.0318\\] +0.0233 +0.1239 good\n"));
  EXPECT_THAT(table, ContainsRegex("  mia.auc +distance +0.623 \\[0.606, 0.640\\] +0.498 +0.504 BAD\n"));
  EXPECT_THAT(table,
              ContainsRegex("  not measured: gwas.beta_r of height: The phenotype is constant in the hold-out.\n"));
}

TEST(TableTest, ShowsAlleleFrequenciesByLabel) {
  const std::string table = RenderTable(TestQuality());
  EXPECT_THAT(table, ContainsRegex("Allele frequencies by label +n +r +RMSE +largest difference\n"));
  EXPECT_THAT(table, ContainsRegex("\n  TSI +10,346 +0.9[0-9]+ +0.0[0-9]+ +0.2[0-9]+\n"));
  // Not twice: among the figures they are only counted.
  EXPECT_THAT(table, Not(ContainsRegex("af.pearson +TSI")));
  EXPECT_THAT(table, HasSubstr("by label (26): "));
}

TEST(TableTest, BeginsWithWhatWasComparedAndTheOutcome) {
  v1::Quality quality = TestQuality();
  v1::QualitySet& synthetic = *quality.mutable_inputs()->mutable_sets(2);
  synthetic.set_imputed_calls(3);
  synthetic.set_variants_left_out(1300);
  EXPECT_THAT(RenderTable(quality),
              StartsWith("training: train.vcf.gz, 4,004 samples, 54 variants left out\n"
                         "holdout: holdout.vcf.gz, 1,250 samples, 54 variants left out\n"
                         "synthetic: synth.bcf, 5,000 samples, 1,300 variants left out, 12 with alleles swapped, 3 "
                         "missing\n  calls filled in\n"
                         "1,250 samples of each cohort compared at 10,346 variants.\n"
                         "Three labels have fewer than 100 people; their figures are mostly chance.\n"
                         "Warning: 1,300 of the 10,400 variants of synth.bcf (12 %) were left out, as another set "
                         "lacks them.\n  The figures say nothing of these.\n"
                         "\nGate default: refused, 11 figures judged\n"
                         "  mia.auc of distance (hard limit): 0.623 (0.606 to 0.640) is above 0.55: an attacker can "
                         "tell who\n    was in the training.\n"
                         "  pca.w1: 0.361 is above 0.35: the population structure is another.\n"
                         "\nPrivacy      BAD; 7 of 8 figures could be measured\n"
                         "Frequencies  BAD; 6 of 7 figures could be measured\n"
                         "Linkage      limited\n"));
  EXPECT_THAT(RenderTable(TestQuality()), Not(HasSubstr("Warning")));
}

TEST(TableTest, AMessageThatNamesItsFigureStandsAlone) {
  v1::Quality quality = TestQuality();
  for (v1::Breach& breach : *quality.mutable_gate()->mutable_breaches()) {
    breach.set_message(absl::StrCat("A figure (", breach.figure(), ") is 0.7"));
  }
  EXPECT_THAT(RenderTable(quality), HasSubstr("judged\n  Hard limit: A figure (mia.auc) is 0.7.\n"
                                              "  A figure (pca.w1) is 0.7.\n"));
}

TEST(TableTest, EndsWithTheOutcomeOfTheGate) {
  v1::Quality quality = TestQuality();
  EXPECT_THAT(RenderTable(quality), EndsWith("\n\nGate default: refused, 11 figures judged\n"));
  EXPECT_THAT(RenderTable(quality), Not(HasSubstr("in spite of this")));
  quality.mutable_gate()->set_published_anyway(true);
  EXPECT_THAT(RenderTable(quality), HasSubstr("Published in spite of this.\n"));
  quality.clear_gate();
  EXPECT_THAT(RenderTable(quality), Not(HasSubstr("Gate")));
}

TEST(TableTest, FiguresWithoutValueForOneReasonAreOneLine) {
  v1::Quality quality;
  const auto add = [&](const char* name, const char* label, const char* reason) {
    v1::Figure& figure = *quality.add_figures();
    figure.set_name(name);
    figure.set_label(label);
    figure.set_reason(reason);
  };
  add("use.label_accuracy", "linear", "there are no labels");
  add("use.label_recovered", "", "there are no labels");
  add("gwas.beta_r", "height", "Too few variants.");
  EXPECT_THAT(RenderTable(quality),
              EndsWith("\n  not measured: use.label_accuracy of linear, use.label_recovered: There are no labels.\n"
                       "  not measured: gwas.beta_r of height: Too few variants.\n"));
  EXPECT_THAT(RenderTable(quality), StartsWith("Use          no verdict; 0 of 3 figures could be measured\n"));
}

TEST(TableTest, FitsTheTerminal) {
  v1::Quality quality = TestQuality();
  v1::Figure& wide = *quality.add_figures();
  wide.set_name("use.label_accuracy");
  wide.set_label("nearest neighbours");
  for (const double scale : {1e-9, -1e-9, 123456789.0, -123456789.0}) {
    wide.set_value(1.23456789 * scale);
    wide.set_low(1.2345678 * scale);
    wide.set_high(1.2345679 * scale);
    wide.mutable_floor()->set_value(scale);
    const std::string table = RenderTable(quality);
    EXPECT_THAT(table, HasSubstr("use.label_accuracy nearest neighbours "));
    for (const absl::string_view line : absl::StrSplit(table, '\n')) {
      EXPECT_LE(std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }), 100) << line;
    }
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
  EXPECT_THAT(table, HasSubstr(": One two.\n"));
}

TEST(TableTest, FiguresAloneAreATable) {
  EXPECT_EQ(RenderTable(v1::Quality()), "");
  v1::Quality quality = TestQuality();
  quality.clear_inputs();
  EXPECT_THAT(RenderTable(quality), StartsWith("Gate default: refused"));
  EXPECT_THAT(RenderTable(quality), Not(HasSubstr("compared")));
}

}  // namespace
}  // namespace genoserve
