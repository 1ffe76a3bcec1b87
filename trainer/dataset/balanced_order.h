// An order of rows in which every label comes as often as every other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace genoserve {

/// The rows of one pass, 0 and up, over data with one label a row: of each of the L labels that occur rows / L of them,
/// rounded down but at least one, in random order. Within a label rows come in turn, in an order that is drawn anew
/// when all of them have come: over the passes no row of a label comes more than once more often than another, a small
/// label's rows come several times a pass, and a large one's go on in the next pass where this one stops.
///
/// By Philox: a function of (labels, seed, pass) alone. Labels are 0 to 65,534, and there is at least one row.
std::vector<size_t> BalancedOrder(const std::vector<int>& labels, uint64_t seed, int64_t pass);

}  // namespace genoserve
