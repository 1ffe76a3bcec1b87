#include "core/quality/holdout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"

namespace genoserve {
namespace {

constexpr uint64_t kStream = uint64_t{5} << 40;  // beside the streams of quality_sets.cc

}  // namespace

absl::Status CheckHoldoutShare(absl::string_view option, double share) {
  if (share >= 0.05 && share <= 0.5) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(option, " must be a share from 0.05 to 0.5"));
}

Split SplitHoldout(size_t samples, const std::vector<int>& labels, const std::vector<int>& families, double share) {
  const auto label_of = [&labels](size_t i) { return labels.empty() ? 0 : labels[i]; };
  std::map<int, size_t> due;  // still to be kept apart, by label
  for (size_t i = 0; i < samples; ++i) ++due[label_of(i)];
  for (auto& [label, count] : due) {
    // The training keeps one at least.
    count = std::min(count - 1, static_cast<size_t>(std::lround(share * static_cast<double>(count))));
  }

  // Families in the order of their first sample's random number.
  const PhiloxStream stream(0, kStream, 0, Purpose::kQuality);
  std::vector<std::pair<uint32_t, size_t>> order;
  for (size_t i = 0; i < samples; ++i) order.emplace_back(stream.Bits(static_cast<uint32_t>(i)), i);
  std::sort(order.begin(), order.end());
  std::map<int, std::vector<size_t>> members;
  for (size_t i = 0; i < families.size(); ++i) members[families[i]].push_back(i);

  std::vector<bool> apart(samples);
  std::vector<bool> seen(samples);
  for (const auto& [bits, first] : order) {
    if (seen[first]) continue;
    const std::vector<size_t> family = families.empty() ? std::vector<size_t>{first} : members[families[first]];
    std::map<int, size_t> of_label;
    for (const size_t i : family) {
      seen[i] = true;
      ++of_label[label_of(i)];
    }
    const bool fits = std::all_of(of_label.begin(), of_label.end(),
                                  [&due](const auto& entry) { return entry.second <= due[entry.first]; });
    if (!fits) continue;
    for (const auto& [label, count] : of_label) due[label] -= count;
    for (const size_t i : family) apart[i] = true;
  }
  Split split;
  for (size_t i = 0; i < samples; ++i) (apart[i] ? split.holdout : split.training).push_back(i);
  return split;
}

}  // namespace genoserve
