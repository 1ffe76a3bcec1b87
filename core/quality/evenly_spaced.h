// Some of many, at even spaces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace genoserve {

/// Ascending indices of [0, from): all of them where there are at most `most`, else `most` at even spaces, which keeps
/// the shares of whatever comes in turn or in runs.
inline std::vector<size_t> EvenlySpaced(size_t from, size_t most) {
  std::vector<size_t> indices(std::min(from, most));
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = i * from / indices.size();
  return indices;
}

}  // namespace genoserve
