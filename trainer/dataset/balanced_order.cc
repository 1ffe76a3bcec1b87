#include "trainer/dataset/balanced_order.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/philox.h"

namespace genoserve {
namespace {

// Shuffles by a stream of its own for each (what, round): haplotype 1 of the training's numbers, of which TrainingNoise
// uses haplotype 0. `what` is below 2^16, and `round` below 2^32.
void Shuffle(uint64_t seed, uint64_t what, uint64_t round, std::vector<size_t>& values) {
  const PhiloxStream stream(seed, round << 16 | what, 1, Purpose::kTraining);
  for (size_t i = values.size(); i > 1; --i) {
    const uint64_t bits = stream.Bits(static_cast<uint32_t>(i - 1));
    std::swap(values[i - 1], values[bits * i >> 32]);
  }
}

}  // namespace

std::vector<size_t> BalancedOrder(const std::vector<int>& labels, uint64_t seed, int64_t pass) {
  std::map<int, std::vector<size_t>> rows_of;
  for (size_t row = 0; row < labels.size(); ++row) rows_of[labels[row]].push_back(row);
  const size_t share = std::max<size_t>(1, labels.size() / rows_of.size());
  std::vector<size_t> order;
  order.reserve(share * rows_of.size());
  for (const auto& [label, rows] : rows_of) {
    // The label's rows are an endless sequence of rounds, of which each pass takes the next `share`.
    size_t place = static_cast<size_t>(pass) * share;
    for (const size_t end = place + share; place < end;) {
      const size_t round = place / rows.size();
      std::vector<size_t> shuffled = rows;
      Shuffle(seed, static_cast<uint64_t>(label) + 1, round, shuffled);
      const size_t first = place % rows.size();
      const size_t count = std::min(rows.size() - first, end - place);
      order.insert(order.end(), shuffled.begin() + static_cast<ptrdiff_t>(first),
                   shuffled.begin() + static_cast<ptrdiff_t>(first + count));
      place += count;
    }
  }
  Shuffle(seed, 0, static_cast<uint64_t>(pass), order);
  return order;
}

}  // namespace genoserve
