#include "core/quality/report/figure_groups.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

constexpr std::array kOrder = {Family::kPrivacy,   Family::kFrequency, Family::kLinkage,
                               Family::kStructure, Family::kCoverage,  Family::kUse};

// More labels than these are folded even where there is no figure of all samples.
constexpr size_t kMostUnfolded = 8;

// Charts whose names begin like no figure.
constexpr std::array<std::pair<absl::string_view, Family>, 3> kChartFamilies = {
    {{"distance.closest", Family::kPrivacy},
     {"distance.pairwise", Family::kCoverage},
     {"roc.attacks", Family::kPrivacy}}};

std::string Prefix(const std::string& name) { return name.substr(0, name.find('.')); }

bool Breached(const v1::Quality& quality, const v1::Figure& figure) {
  return std::ranges::any_of(quality.gate().breaches(), [&](const v1::Breach& breach) {
    return breach.figure() == figure.name() && breach.label() == figure.label();
  });
}

JudgedFigure Judge(const v1::Quality& quality, const v1::Figure& figure) {
  JudgedFigure judged{&figure, FindFigure(figure.name()), Verdict::kNone};
  if (figure.has_value() && Breached(quality, figure)) {
    judged.verdict = Verdict::kBad;
  } else if (judged.info != nullptr) {
    judged.verdict = JudgeFigure(figure, *judged.info);
  }
  return judged;
}

// Whether a hard limit of the family is broken, be it by a figure without a value, which itself has no verdict.
bool BreaksHardLimit(const v1::Quality& quality, const FigureGroup& group) {
  return std::ranges::any_of(quality.gate().breaches(), [&](const v1::Breach& breach) {
    const FigureInfo* const info = FindFigure(breach.figure());
    return breach.hard() && info != nullptr && info->family == group.family;
  });
}

// What most labels say weighs on the figure of all.
void WeighLabels(FigureKind* kind) {
  if (!kind->overall.has_value()) return;
  std::vector<Verdict> labels;
  for (const JudgedFigure& label : kind->labels) labels.push_back(label.verdict);
  kind->overall->verdict = WithLabels(kind->overall->verdict, labels);
}

// For privacy every figure counts; else the kinds' heads.
Verdict JudgeGroup(const v1::Quality& quality, const FigureGroup& group) {
  std::vector<Verdict> verdicts;
  for (const JudgedFigure& figure : group.judged()) verdicts.push_back(figure.verdict);
  const Verdict verdict = JudgeFamily(group.family.value_or(Family::kUse), verdicts);
  return BreaksHardLimit(quality, group) ? std::max(verdict, Verdict::kLimited) : verdict;
}

}  // namespace

std::string JudgedFigure::title() const { return info == nullptr ? figure->name() : std::string(info->title); }

bool FigureKind::folded() const { return overall.has_value() ? !labels.empty() : labels.size() > kMostUnfolded; }

std::vector<JudgedFigure> FigureKind::heads() const {
  return overall.has_value() ? std::vector<JudgedFigure>{*overall} : labels;
}

std::vector<JudgedFigure> FigureGroup::judged() const {
  std::vector<JudgedFigure> all;
  for (const FigureKind& kind : kinds) {
    const std::vector<JudgedFigure> heads = kind.heads();
    all.insert(all.end(), heads.begin(), heads.end());
    if (family == Family::kPrivacy && kind.overall.has_value()) {
      all.insert(all.end(), kind.labels.begin(), kind.labels.end());
    }
  }
  return all;
}

std::string FigureGroup::measured() const {
  const std::vector<JudgedFigure> all = judged();
  const auto measured = std::ranges::count_if(all, [](const JudgedFigure& f) { return f.figure->has_value(); });
  if (static_cast<size_t>(measured) == all.size()) return "";
  return absl::StrCat(measured, " of ", all.size(), all.size() == 1 ? " figure" : " figures", " could be measured");
}

std::vector<FigureGroup> GroupFigures(const v1::Quality& quality) {
  std::map<std::optional<Family>, FigureGroup> groups;
  std::map<std::string, std::optional<Family>> family_of_prefix;
  std::map<std::string, size_t> kind_of_name;
  for (const v1::Figure& figure : quality.figures()) {
    const JudgedFigure judged = Judge(quality, figure);
    std::optional<Family> family;
    if (judged.info != nullptr) family = judged.info->family;
    family_of_prefix.try_emplace(Prefix(figure.name()), family);
    std::vector<FigureKind>& kinds = groups[family].kinds;
    const auto [at, is_new] = kind_of_name.try_emplace(figure.name(), kinds.size());
    if (is_new) kinds.emplace_back();
    FigureKind& kind = kinds[at->second];
    if (figure.label().empty()) {
      kind.overall = judged;
    } else {
      kind.labels.push_back(judged);
    }
  }
  for (const v1::Chart& chart : quality.charts()) {
    const auto listed = std::ranges::find(kChartFamilies, absl::string_view(chart.name()),
                                          [](const auto& entry) { return entry.first; });
    const auto alike = family_of_prefix.find(Prefix(chart.name()));
    std::optional<Family> family;
    if (listed != kChartFamilies.end()) {
      family = listed->second;
    } else if (alike != family_of_prefix.end()) {
      family = alike->second;
    }
    groups[family].charts.push_back(&chart);
  }

  std::vector<FigureGroup> ordered;
  const auto take = [&](std::optional<Family> family, absl::string_view name) {
    const auto group = groups.find(family);
    if (group == groups.end()) return;
    group->second.family = family;
    group->second.name = std::string(name);
    std::ranges::for_each(group->second.kinds, [](FigureKind& kind) { WeighLabels(&kind); });
    group->second.verdict = JudgeGroup(quality, group->second);
    ordered.push_back(std::move(group->second));
  };
  for (const Family family : kOrder) take(family, FamilyName(family));
  take(std::nullopt, "Other figures");
  return ordered;
}

}  // namespace genoserve
