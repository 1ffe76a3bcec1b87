// Blocks of variants, by which parts of rows are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/model/generator.h"

namespace genoserve {

/// Blocks of a row.
constexpr size_t BlockCount(size_t variants) { return (variants + kBlockVariants - 1) / kBlockVariants; }

/// INVALID_ARGUMENT where the indices do not ascend or one is that of no block.
inline absl::Status CheckBlocks(std::span<const uint32_t> blocks, size_t variants) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i] >= BlockCount(variants) || (i > 0 && blocks[i] <= blocks[i - 1])) {
      return absl::InvalidArgumentError(
          absl::StrCat("block ", blocks[i], " of a tile; blocks must ascend and be below ", BlockCount(variants)));
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve
