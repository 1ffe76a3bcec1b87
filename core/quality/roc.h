// How well a score tells one set of rows from another: the receiver operating characteristic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// Where a threshold finds some of the members and wrongly accuses some of the others.
struct RocPoint {
  double false_positive_rate = 0;
  double true_positive_rate = 0;
};

/// What is read off a curve. Points of equal score are joined by a line: ties count half.
struct RocFigures {
  double auc = 0;           ///< area under the polygon = Mann-Whitney U / (members x others)
  double tpr_at_1_fpr = 0;  ///< highest true positive rate of the polygon at a false positive rate of 0.01
  double advantage = 0;     ///< true less false positive rate where their sum is 1: half of all rows are called members
};

/// The curve of scores, of which a high one says "member", of rows of members and of others; people have
/// `rows_per_person` neighbouring rows. Const methods are thread-safe.
class Roc {
 public:
  Roc(std::span<const double> members, std::span<const double> others, size_t rows_per_person);

  /// The polygon's corners, from (0, 0) to (1, 1), where each member and each other person counts so many times. Not a
  /// number where none of either counts.
  std::vector<RocPoint> Curve(std::span<const uint32_t> members, std::span<const uint32_t> others) const;
  /// What is read off it.
  RocFigures Figures(std::span<const uint32_t> members, std::span<const uint32_t> others) const;

 private:
  struct Row {
    double score;
    uint32_t person;
    bool member;
  };
  std::vector<Row> rows_;  // highest score first
};

/// At most `count` corners of a curve, at least 2, with its ends and those that are nearest to evenly spread ones.
std::vector<RocPoint> Thinned(const std::vector<RocPoint>& curve, size_t count);

}  // namespace genoserve
