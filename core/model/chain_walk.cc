#include "core/model/chain_walk.h"

#include <algorithm>

namespace genoserve {
namespace {

// Sets `count` bits of `row` from bit `to` on to those of `pool` from bit `from` on. The bits of `row` are 0.
void CopyBits(std::span<const uint32_t> pool, size_t from, size_t count, std::span<uint8_t> row, size_t to) {
  while (count > 0) {
    // As many as end the byte of the row, taken out of two words of the pool, the second of which may not be there.
    const size_t some = std::min(count, 8 - to % 8);
    uint64_t bits = pool[from / 32] >> (from % 32);
    if (from % 32 + some > 32) bits |= static_cast<uint64_t>(pool[from / 32 + 1]) << (32 - from % 32);
    row[to / 8] = static_cast<uint8_t>(row[to / 8] | ((bits & ((1U << some) - 1)) << (to % 8)));
    from += some;
    to += some;
    count -= some;
  }
}

}  // namespace

void WalkChromosome(const ChainGraph& graph, size_t chromosome, size_t kind, const ChainNumbers& numbers,
                    std::span<uint8_t> row, size_t end) {
  const size_t bits = graph.bits_per_code();
  uint32_t node = graph.Root(chromosome, kind);
  for (;;) {
    const size_t length = graph.RunLength(node);
    const size_t first = graph.First(node);
    const size_t variant = first + length;
    if (variant >= end) {
      const size_t wanted = end > first ? end - first : 0;
      CopyBits(graph.codes(), graph.RunOffset(node) * bits, wanted * bits, row, first * bits);
      return;
    }
    CopyBits(graph.codes(), graph.RunOffset(node) * bits, length * bits, row, first * bits);
    const uint32_t number = numbers.first + static_cast<uint32_t>(variant);
    switch (graph.Step(node)) {
      case ChainStep::kEnd:
        return;
      case ChainStep::kJoin:
        node = graph.Next(node, 0);
        break;
      case ChainStep::kCrossover:
        node = graph.Next(node, numbers.crossovers.Bits(number) < graph.Cut(node, 0) ? 1 : 0);
        break;
      case ChainStep::kDraw: {
        // A cut of 2^32 - 1 is never reached: the codes above it are not there.
        const uint32_t drawn = std::min(numbers.draws.Bits(number), UINT32_MAX - 1);
        size_t code = 0;
        while (code + 1 < graph.symbols() && drawn >= graph.Cut(node, code)) ++code;
        row[variant * bits / 8] = static_cast<uint8_t>(row[variant * bits / 8] | (code << (variant * bits % 8)));
        node = graph.Next(node, code);
        break;
      }
    }
  }
}

}  // namespace genoserve
