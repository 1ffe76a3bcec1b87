#include "trainer/dataset/label_counts.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

// "south (3), west (12)": the labels with fewer samples than `most`.
std::string Fewer(const std::vector<std::string>& names, const std::vector<int64_t>& counts, int64_t most) {
  std::string list;
  for (size_t i = 0; i < names.size(); ++i) {
    if (counts[i] < most) absl::StrAppend(&list, list.empty() ? "" : ", ", names[i], " (", counts[i], ")");
  }
  return list;
}

}  // namespace

absl::StatusOr<std::string> CheckLabelCounts(const std::vector<std::string>& names, const std::vector<int64_t>& counts,
                                             int64_t least) {
  if (const std::string refused = Fewer(names, counts, least); !refused.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "labels with fewer than %d training samples: %s; leave these samples out, give them a label that has more, or "
        "lower min_label_samples",
        least, refused));
  }
  const std::string few = Fewer(names, counts, kFewLabelSamples);
  if (few.empty()) return few;
  return absl::StrFormat("labels with fewer than %d training samples, too few to learn much of: %s", kFewLabelSamples,
                         few);
}

}  // namespace genoserve
