// The contexts of a chain as a tree: which rows agree in their last codes, and which more agree in fewer of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/chain/prefix_order.h"

namespace genoserve {

/// Rows that agree in their last codes, as long as these agree: places [low, high) of a PrefixOrder.
struct Context {
  uint32_t low = 0;
  uint32_t high = 0;
  uint32_t parent = 0;  ///< the next shorter context that more rows share; of all rows itself
  uint32_t wider = 0;   ///< the longest one above it that twice as many rows share, or else that of all rows

  uint32_t rows() const { return high - low; }
};

/// Not thread-safe.
class ContextTree {
 public:
  /// Finds the contexts of `order` that at least `support` rows share, and the one of all rows, as it is now.
  void Build(const PrefixOrder& order, size_t support);

  /// Ascending by `high` and descending by `low`: a context stands before its parent, that of all rows at the end.
  const std::vector<Context>& contexts() const { return contexts_; }
  /// The context of exactly these places, which must be there.
  const Context& At(uint32_t low, uint32_t high) const;

 private:
  // A context whose last place is not known yet: neighbours from `low` on agree from variant `agree` on or before it.
  struct Open {
    uint32_t agree;
    uint32_t low;
  };

  std::vector<Context> contexts_;
  std::vector<Open> open_;
  std::vector<uint32_t> above_;
};

}  // namespace genoserve
