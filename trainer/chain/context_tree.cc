#include "trainer/chain/context_tree.h"

#include <algorithm>
#include <tuple>

namespace genoserve {

void ContextTree::Build(const PrefixOrder& order, size_t support) {
  const auto rows = static_cast<uint32_t>(order.rows());
  contexts_.clear();
  open_.clear();
  for (uint32_t place = 1; place < rows; ++place) {
    const uint32_t agree = order.Agree(place);
    uint32_t low = place - 1;
    while (!open_.empty() && open_.back().agree < agree) {
      low = open_.back().low;
      if (place - low >= support) contexts_.push_back({low, place, 0, 0});
      open_.pop_back();
    }
    if (open_.empty() || open_.back().agree > agree) open_.push_back({agree, low});
  }
  while (!open_.empty()) {
    const uint32_t low = open_.back().low;
    open_.pop_back();
    if (low > 0 && rows - low >= support) contexts_.push_back({low, rows, 0, 0});
    // Those that begin and end with all rows are one, and added below.
  }
  contexts_.push_back({0, rows, 0, 0});
  above_.clear();
  const auto last = static_cast<uint32_t>(contexts_.size() - 1);
  for (uint32_t i = last + 1; i-- > 0;) {
    Context& context = contexts_[i];
    while (!above_.empty() && contexts_[above_.back()].low > context.low) above_.pop_back();
    context.parent = above_.empty() ? i : above_.back();
    context.wider = context.parent;
    while (context.wider != last && contexts_[context.wider].rows() < 2 * context.rows()) {
      context.wider = contexts_[context.wider].parent;
    }
    above_.push_back(i);
  }
}

const Context& ContextTree::At(uint32_t low, uint32_t high) const {
  return *std::partition_point(contexts_.begin(), contexts_.end(), [&](const Context& one) {
    return std::make_tuple(one.high, ~one.low) < std::make_tuple(high, ~low);
  });
}

}  // namespace genoserve
