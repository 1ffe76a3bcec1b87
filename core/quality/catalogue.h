// All figures: what each is called, what it means and which way is good. The report, the docs and the gate read it.
#pragma once

#include <span>
#include <vector>

#include "absl/strings/string_view.h"

namespace genoserve {

/// Where a figure stands in the report.
enum class Family { kFrequency, kLinkage, kStructure, kCoverage, kPrivacy, kUse };

/// Which values are good.
enum class Better {
  kHigher,
  kLower,
  kNearFloor,  ///< the floor's value is the best; more is as wrong as less
};

/// One kind of figure.
struct FigureInfo {
  absl::string_view name;  ///< as in v1::Figure, such as "af.pearson"
  Family family;
  Better better;
  absl::string_view title;  ///< short, for a table: "Correlation of allele frequencies"
  absl::string_view
      meaning;  ///< one or two sentences for a person who is no statistician: what it asks and how to read it
  absl::string_view formula;  ///< definition with its source
  absl::string_view n_of;     ///< what n counts: "variants", "rows", "samples", "pairs"
};

/// Each family's own list, in the order of the report, beside its code.
std::span<const FigureInfo> FrequencyFigures();
std::span<const FigureInfo> LinkageFigures();
std::span<const FigureInfo> StructureFigures();
std::span<const FigureInfo> CoverageFigures();
std::span<const FigureInfo> PrivacyFigures();
std::span<const FigureInfo> UseFigures();

/// All of them, by family.
const std::vector<FigureInfo>& AllFigures();

/// The one with this name, or null.
const FigureInfo* FindFigure(absl::string_view name);

/// "Frequencies", "Linkage", "Structure", "Coverage", "Privacy" or "Use".
absl::string_view FamilyName(Family family);

}  // namespace genoserve
