#include "core/quality/catalogue.h"

namespace genoserve {

const std::vector<FigureInfo>& AllFigures() {
  static const std::vector<FigureInfo>* const all = [] {
    auto* figures = new std::vector<FigureInfo>;
    for (const auto& family : {FrequencyFigures(), LinkageFigures(), StructureFigures(), CoverageFigures(),
                               PrivacyFigures(), UseFigures()}) {
      figures->insert(figures->end(), family.begin(), family.end());
    }
    return figures;
  }();
  return *all;
}

const FigureInfo* FindFigure(absl::string_view name) {
  for (const FigureInfo& figure : AllFigures()) {
    if (figure.name == name) return &figure;
  }
  return nullptr;
}

absl::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kFrequency:
      return "Frequencies";
    case Family::kLinkage:
      return "Linkage";
    case Family::kStructure:
      return "Structure";
    case Family::kCoverage:
      return "Coverage";
    case Family::kPrivacy:
      return "Privacy";
    case Family::kUse:
      return "Use";
  }
  return "";
}

}  // namespace genoserve
