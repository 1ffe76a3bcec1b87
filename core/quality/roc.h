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

/// The curve of scores, of which a high one says "member". Members and others have equally many rows, samples of
/// `rows_per_sample` neighbouring ones. Const methods are thread-safe.
class Roc {
 public:
  Roc(std::span<const double> members, std::span<const double> others, size_t rows_per_sample);

  /// Samples of each of both.
  size_t samples() const { return samples_; }
  /// The polygon's corners with these samples, each as often as it is named, of both sets: from (0, 0) to (1, 1).
  std::vector<RocPoint> Curve(std::span<const uint32_t> samples) const;
  /// What is read off it.
  RocFigures Figures(std::span<const uint32_t> samples) const;

 private:
  struct Row {
    double score;
    uint32_t sample;
    bool member;
  };
  size_t samples_;
  std::vector<Row> rows_;  // highest score first
};

/// At most `count` corners of a curve, at least 2, with its ends and those that are nearest to evenly spread ones.
std::vector<RocPoint> Thinned(const std::vector<RocPoint>& curve, size_t count);

}  // namespace genoserve
