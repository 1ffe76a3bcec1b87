#include "core/store/store_paths.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace genoserve {
namespace {

// More digits than versions can have; keeps the next number far from overflow.
constexpr size_t kMaxVersionDigits = 15;

}  // namespace

int64_t ParseVersion(absl::string_view name) {
  int64_t version = 0;
  const bool digits = std::all_of(name.begin(), name.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (!digits || name.empty() || name.front() == '0' || name.size() > kMaxVersionDigits) return 0;
  return absl::SimpleAtoi(name, &version) ? version : 0;
}

}  // namespace genoserve
