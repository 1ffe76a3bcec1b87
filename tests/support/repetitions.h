// How often tests do the same, and how much they ask for.
#pragma once

#include <algorithm>

namespace genoserve {

/// `full` repetitions, or samples, in usual builds. A sanitizer makes a test up to 50 times slower and looks at each
/// access, not at what comes out: there a twentieth is enough, and at least 1.
constexpr int Repetitions(int full) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return std::max(1, full / 20);
#else
  return full;
#endif
}

}  // namespace genoserve
