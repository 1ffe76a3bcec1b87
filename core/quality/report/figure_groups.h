// The figures and charts of a Quality message in the order in which people read them: by family, privacy first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/quality/catalogue.h"
#include "core/quality/report/verdict.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// A figure of the message with what is known of it.
struct JudgedFigure {
  const v1::Figure* figure = nullptr;
  const FigureInfo* info = nullptr;  ///< null where the catalogue lacks it
  Verdict verdict = Verdict::kNone;

  /// The catalogue's title, or the name.
  std::string title() const;
};

/// One kind of figure: of all samples, and by label.
struct FigureKind {
  std::optional<JudgedFigure> overall;
  std::vector<JudgedFigure> labels;

  /// Whether the labels are a breakdown of `overall`, or too many to stand among the other figures.
  bool folded() const;
  /// What stands for the kind among the others: overall where there is one, else all labels.
  std::vector<JudgedFigure> heads() const;
};

/// A family with its charts. Charts belong to the family of the figures whose names begin alike, as "ld.decay" and
/// "ld.r2_rmse" do, but for a few that are listed beside the code.
struct FigureGroup {
  std::optional<Family> family;  ///< absent for figures and charts of no known family
  std::string name;
  std::vector<FigureKind> kinds;  ///< in the order of the message
  std::vector<const v1::Chart*> charts;
  Verdict verdict = Verdict::kNone;

  /// The figures that the verdict is made of: for privacy all, else the heads of the kinds.
  std::vector<JudgedFigure> judged() const;
  /// "7 of 15 figures could be measured", of judged(); empty where all could.
  std::string measured() const;
};

/// The groups that have anything in them, which point into `quality`.
std::vector<FigureGroup> GroupFigures(const v1::Quality& quality);

}  // namespace genoserve
