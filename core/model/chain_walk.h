// Rows from the graph of a chain: the same bits on every machine, since every choice compares whole numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/philox.h"
#include "core/model/chain_graph.h"

namespace genoserve {

/// The random numbers of one row: `draws` decides codes, number `first` + v that of variant v; `crossovers` decides
/// whether the row leaves its context, number `first` + v before variant v.
struct ChainNumbers {
  PhiloxStream draws;
  PhiloxStream crossovers;
  uint32_t first = 0;
};

/// Walks one chromosome in class `kind` and sets its codes in `row`, a packed row of the whole model whose codes of
/// this chromosome are 0. Codes from variant `end` on are left out. The graph must have passed its check.
void WalkChromosome(const ChainGraph& graph, size_t chromosome, size_t kind, const ChainNumbers& numbers,
                    std::span<uint8_t> row, size_t end = SIZE_MAX);

}  // namespace genoserve
