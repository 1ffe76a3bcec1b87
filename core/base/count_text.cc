#include "core/base/count_text.h"

#include "absl/strings/str_cat.h"

namespace genoserve {

std::string FormatCount(int64_t count) {
  std::string text = absl::StrCat(count);
  const int first = count < 0 ? 1 : 0;
  for (int at = static_cast<int>(text.size()) - 3; at > first; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

}  // namespace genoserve
