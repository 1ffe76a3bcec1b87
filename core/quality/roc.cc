#include "core/quality/roc.h"

#include <algorithm>
#include <tuple>

namespace genoserve {
namespace {

constexpr double kFewFalsePositives = 0.01;

}  // namespace

Roc::Roc(std::span<const double> members, std::span<const double> others, size_t rows_per_person) {
  for (const bool member : {true, false}) {
    const std::span<const double> scores = member ? members : others;
    for (size_t row = 0; row < scores.size(); ++row) {
      rows_.push_back({scores[row], static_cast<uint32_t>(row / rows_per_person), member});
    }
  }
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return std::tie(b.score, a.person, a.member) < std::tie(a.score, b.person, b.member);
  });
}

std::vector<RocPoint> Roc::Curve(std::span<const uint32_t> members, std::span<const uint32_t> others) const {
  const auto times = [&](const Row& row) { return row.member ? members[row.person] : others[row.person]; };
  double all_members = 0;
  double all_others = 0;
  for (const Row& row : rows_) (row.member ? all_members : all_others) += times(row);

  std::vector<RocPoint> curve = {{0, 0}};
  uint64_t true_positives = 0;
  uint64_t false_positives = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    (rows_[i].member ? true_positives : false_positives) += times(rows_[i]);
    if (i + 1 < rows_.size() && rows_[i + 1].score == rows_[i].score) continue;
    curve.push_back(
        {static_cast<double>(false_positives) / all_others, static_cast<double>(true_positives) / all_members});
  }
  return curve;
}

RocFigures Roc::Figures(std::span<const uint32_t> members, std::span<const uint32_t> others) const {
  RocFigures figures;
  const std::vector<RocPoint> curve = Curve(members, others);
  bool halved = false;
  for (size_t i = 1; i < curve.size(); ++i) {
    const RocPoint& from = curve[i - 1];
    const RocPoint& to = curve[i];
    const double across = to.false_positive_rate - from.false_positive_rate;
    const double up = to.true_positive_rate - from.true_positive_rate;
    figures.auc += across * (from.true_positive_rate + to.true_positive_rate) / 2;
    if (to.false_positive_rate <= kFewFalsePositives) {
      figures.tpr_at_1_fpr = to.true_positive_rate;
    } else if (from.false_positive_rate <= kFewFalsePositives) {
      figures.tpr_at_1_fpr = from.true_positive_rate + up * (kFewFalsePositives - from.false_positive_rate) / across;
    }
    const double sum = to.true_positive_rate + to.false_positive_rate;
    if (!halved && sum >= 1) {
      const double share = (1 - from.true_positive_rate - from.false_positive_rate) / (across + up);
      figures.advantage = from.true_positive_rate - from.false_positive_rate + share * (up - across);
      halved = true;
    }
  }
  return figures;
}

std::vector<RocPoint> Thinned(const std::vector<RocPoint>& curve, size_t count) {
  if (curve.size() <= count) return curve;
  std::vector<RocPoint> thinned;
  for (size_t i = 0; i < count; ++i) thinned.push_back(curve[i * (curve.size() - 1) / (count - 1)]);
  return thinned;
}

}  // namespace genoserve
