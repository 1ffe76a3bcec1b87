#include "core/quality/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/quality/families.h"
#include "core/quality/gate.h"
#include "core/quality/report/figure_groups.h"
#include "core/quality/report/test_quality.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {
namespace {

using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// The part of the page before its scripts.
std::string Markup(const v1::Quality& quality) {
  const std::string page = RenderReport(quality).value();
  return page.substr(0, page.find("<script type=\"application/json\""));
}

std::vector<std::string> Scripts(const std::string& page) {
  std::vector<std::string> scripts;
  for (size_t at = page.find("<script>"); at != std::string::npos; at = page.find("<script>", at + 1)) {
    scripts.push_back(page.substr(at + 8, page.find("</script>", at) - at - 8));
  }
  return scripts;
}

TEST(ReportTest, TextOfTheDataIsNeverMarkup) {
  v1::Quality quality = TestQuality();
  v1::QualityInputs& inputs = *quality.mutable_inputs();
  for (std::string* text : {inputs.mutable_title(), inputs.mutable_label_column(), inputs.mutable_code_version(),
                            inputs.mutable_measured_at(), inputs.mutable_phenotypes(0), inputs.mutable_notes(0),
                            inputs.mutable_sets(0)->mutable_role(), inputs.mutable_sets(0)->mutable_source()}) {
    *text = kHostileLabel;
  }
  for (v1::Figure& figure : *quality.mutable_figures()) {
    if (!figure.reason().empty()) figure.set_reason(kHostileLabel);
  }
  quality.mutable_figures(0)->set_name(kHostileLabel);
  for (v1::Chart& chart : *quality.mutable_charts()) {
    for (std::string* text : {chart.mutable_name(), chart.mutable_label(), chart.mutable_title(), chart.mutable_note(),
                              chart.mutable_x()->mutable_title(), chart.mutable_y()->mutable_title()}) {
      *text = kHostileLabel;
    }
  }
  v1::GateResult& gate = *quality.mutable_gate();
  for (std::string* text : {gate.mutable_gate(), gate.mutable_breaches(0)->mutable_figure(),
                            gate.mutable_breaches(0)->mutable_label(), gate.mutable_breaches(0)->mutable_message()}) {
    *text = kHostileLabel;
  }
  const std::string page = RenderReport(quality).value();
  EXPECT_FALSE(absl::StrContains(page, "<img src=x"));
  EXPECT_TRUE(absl::StrContains(page, "&lt;/script&gt;&lt;img src=x"));
  // What looks like a place of the template is text.
  EXPECT_TRUE(absl::StrContains(page, "{{style}}"));
  size_t ends = 0;
  for (size_t at = page.find("</script"); at != std::string::npos; at = page.find("</script", at + 1)) ++ends;
  EXPECT_EQ(ends, 3);
}

TEST(ReportTest, OnlyItsOwnScriptsMayRun) {
  const std::string page = RenderReport(TestQuality()).value();
  const std::vector<std::string> scripts = Scripts(page);
  ASSERT_EQ(scripts.size(), 2);
  const size_t at = page.find("Content-Security-Policy");
  const std::string policy = page.substr(at, page.find('\n', at) - at);
  for (const std::string& script : scripts) {
    Sha256 sha;
    sha.Update(absl::string_view(script));
    const Sha256Digest digest = sha.Finish();
    const absl::string_view bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
    EXPECT_THAT(policy, HasSubstr(absl::StrCat("'sha256-", absl::Base64Escape(bytes), "'")));
  }
  EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'sha256-"));
  EXPECT_THAT(policy, Not(ContainsRegex("script-src[^;]*unsafe")));
}

TEST(ReportTest, NothingIsLeftOfTheTemplate) {
  v1::Quality quality = TestQuality();
  for (v1::Figure& figure : *quality.mutable_figures()) {
    if (figure.label() == kHostileLabel) figure.set_label("Z");
  }
  for (v1::Chart& chart : *quality.mutable_charts()) chart.clear_label();
  EXPECT_FALSE(absl::StrContains(Markup(quality), "{{"));
}

TEST(ReportTest, SaysWhatTheGateDecided) {
  v1::Quality quality = TestQuality();
  EXPECT_THAT(Markup(quality), HasSubstr("The gate refuses it"));
  EXPECT_THAT(Markup(quality), HasSubstr("an attacker can tell who was in the training"));
  EXPECT_THAT(Markup(quality), Not(HasSubstr("published all the same")));
  quality.mutable_gate()->set_published_anyway(true);
  EXPECT_THAT(Markup(quality), HasSubstr("published all the same"));
  quality.mutable_gate()->clear_breaches();
  quality.mutable_gate()->set_published_anyway(false);
  quality.mutable_gate()->set_passed(true);
  EXPECT_THAT(Markup(quality), HasSubstr("The gate lets it pass"));
  quality.clear_gate();
  EXPECT_THAT(Markup(quality), HasSubstr("No gate was asked"));
}

TEST(ReportTest, SaysWhatToDoByTheOutcome) {
  v1::Quality quality = TestQuality();
  EXPECT_THAT(Markup(quality), HasSubstr("Do not hand it on, and treat"));
  v1::GateResult& gate = *quality.mutable_gate();
  for (v1::Breach& breach : *gate.mutable_breaches()) breach.set_hard(false);
  EXPECT_THAT(Markup(quality), HasSubstr("It is fit for testing pipelines"));
  EXPECT_THAT(Markup(quality), Not(HasSubstr("Do not hand")));
  gate.clear_breaches();
  gate.set_passed(true);
  EXPECT_THAT(Markup(quality), HasSubstr("It can be handed on under the usual terms"));
  quality.clear_gate();
  EXPECT_THAT(Markup(quality), HasSubstr("Nobody has set limits"));
  EXPECT_THAT(Markup(quality), HasSubstr("No differential privacy is claimed, and there is no epsilon"));
  EXPECT_THAT(Markup(quality), HasSubstr("Treat it as data of these people"));
  quality.clear_charts();
  EXPECT_THAT(Markup(quality), Not(HasSubstr("Treat it as data of these people")));
  v1::Quality nothing;
  nothing.mutable_gate()->add_breaches()->set_message("no figures of quality were measured");
  EXPECT_THAT(Markup(nothing), HasSubstr("Nothing was measured of this cohort"));
  EXPECT_THAT(Markup(nothing), HasSubstr("<li>No figures of quality were measured.</li>"));
}

TEST(ReportTest, ABreachNamesItsFigureOnce) {
  v1::Quality quality = TestQuality();
  EXPECT_THAT(Markup(quality), HasSubstr("</b>: 0.361 is above 0.35"));
  quality.mutable_gate()->mutable_breaches(1)->set_message("Populations (pca.w1) is 0.361");
  EXPECT_THAT(Markup(quality), HasSubstr("<li>Populations (pca.w1) is 0.361.</li>"));
}

TEST(ReportTest, AFamilySaysHowManyFiguresWereMeasured) {
  EXPECT_THAT(Markup(TestQuality()), HasSubstr(" 7 of 8 figures could be measured.</p>"));
  EXPECT_THAT(Markup(TestQuality()), Not(HasSubstr("2 of 2 figures")));
}

TEST(ReportTest, AFigureWithoutValueSaysWhy) {
  EXPECT_THAT(Markup(TestQuality()), HasSubstr("The phenotype is constant in the hold-out."));
  EXPECT_THAT(Markup(TestQuality()),
              HasSubstr("There are 12 people with a hidden genotype on each side, and at least 20 are needed."));
}

TEST(ReportTest, CarriesTheLicenceOfTheChartLibrary) {
  EXPECT_THAT(Markup(TestQuality()), HasSubstr("Apache License"));
  EXPECT_THAT(Markup(TestQuality()), HasSubstr("Mike Bostock"));
}

TEST(ReportTest, EqualMessagesGiveEqualPages) {
  EXPECT_TRUE(RenderReport(TestQuality()).value() == RenderReport(TestQuality()).value());
}

TEST(ReportTest, AnEmptyMessageIsAPage) { EXPECT_THAT(Markup(v1::Quality()), HasSubstr("Synthetic cohort")); }

TEST(FigureGroupsTest, PrivacyComesFirstAndTheUnknownLast) {
  const v1::Quality quality = TestQuality();
  const std::vector<FigureGroup> groups = GroupFigures(quality);
  std::vector<std::string> names;
  names.reserve(groups.size());
  for (const FigureGroup& group : groups) names.push_back(group.name);
  EXPECT_THAT(names, ElementsAre("Privacy", "Frequencies", "Linkage", "Structure", "Coverage", "Use", "Other figures"));
}

TEST(FigureGroupsTest, ChartsStandWithFiguresOfTheirKind) {
  const v1::Quality quality = TestQuality();
  for (const FigureGroup& group : GroupFigures(quality)) {
    std::vector<std::string> names;
    for (const v1::Chart* chart : group.charts) names.push_back(chart->name());
    if (group.name == "Privacy") {
      EXPECT_THAT(names, ElementsAre("roc.attacks", "distance.closest", "kinship.classes"));
    } else if (group.name == "Linkage") {
      EXPECT_THAT(names, ElementsAre("ld.decay", "ld.heatmap", "ld.heatmap"));
    } else if (group.name == "Other figures") {
      EXPECT_THAT(names, ElementsAre());
    }
  }
}

TEST(FigureGroupsTest, AttacksStandAloneAndLabelsFoldUnderTheFigureOfAll) {
  const v1::Quality quality = TestQuality();
  const std::vector<FigureGroup> groups = GroupFigures(quality);
  for (const FigureKind& kind : groups[0].kinds) {
    if (!kind.overall.has_value()) {
      EXPECT_FALSE(kind.folded());
    }
  }
  const FigureKind& pearson = groups[1].kinds[0];
  ASSERT_TRUE(pearson.overall.has_value());
  EXPECT_EQ(pearson.labels.size(), 26);
  EXPECT_TRUE(pearson.folded());
  EXPECT_EQ(pearson.heads().size(), 1);
}

TEST(FigureGroupsTest, ABrokenLimitIsBadWhateverTheYardsticksSay) {
  v1::Quality quality = TestQuality();
  v1::Breach& breach = *quality.mutable_gate()->add_breaches();
  breach.set_figure("cover.precision");
  for (const FigureGroup& group : GroupFigures(quality)) {
    if (group.name != "Coverage") continue;
    EXPECT_EQ(group.kinds[0].overall->verdict, Verdict::kBad);
    EXPECT_EQ(group.kinds[1].overall->verdict, Verdict::kGood);
  }
}

TEST(FigureGroupsTest, MostLabelsWeighOnTheirFigure) {
  v1::Quality quality = TestQuality();
  for (v1::Figure& figure : *quality.mutable_figures()) {
    if (figure.name() == "af.pearson" && !figure.label().empty()) figure.set_value(0.9), figure.set_high(0.91);
  }
  EXPECT_EQ(GroupFigures(quality)[1].kinds[0].overall->verdict, Verdict::kBad);
}

TEST(FigureGroupsTest, RealPeopleWhomNobodySawAreNotBadForPrivacy) {
  for (const bool phased : {true, false}) {
    const QualitySets sets = TestSets(400, 600, phased);
    v1::Quality quality;
    MeasureFrequencies(sets, &quality);
    MeasureDistances(sets, &quality);
    MeasureAttacks(sets, &quality);
    *quality.mutable_gate() = Judge(DefaultGate(), "default", quality.mutable_figures());
    for (const v1::Breach& breach : quality.gate().breaches()) EXPECT_FALSE(breach.hard()) << breach.message();
    const std::vector<FigureGroup> groups = GroupFigures(quality);
    ASSERT_EQ(groups[0].name, "Privacy");
    for (const JudgedFigure& figure : groups[0].judged()) {
      EXPECT_NE(figure.verdict, Verdict::kBad) << figure.figure->ShortDebugString();
    }
    EXPECT_EQ(groups[0].verdict, Verdict::kGood) << phased;
  }
}

TEST(FigureGroupsTest, AHardLimitBrokenWithoutAValueIsNotGood) {
  v1::Quality quality;
  v1::Figure& figure = *quality.add_figures();
  figure.set_name("privacy.loss");
  figure.set_reason("too few rows");
  EXPECT_EQ(GroupFigures(quality)[0].verdict, Verdict::kNone);
  v1::Breach& breach = *quality.mutable_gate()->add_breaches();
  breach.set_figure("privacy.loss");
  breach.set_hard(true);
  EXPECT_EQ(GroupFigures(quality)[0].verdict, Verdict::kLimited);
}

}  // namespace
}  // namespace genoserve
