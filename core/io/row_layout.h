// Files in which every sample has the same number of bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "core/io/cohort_writer.h"

namespace genoserve {

/// What comes before the samples, and what packed rows of whole samples become.
struct RowLayout {
  std::string head;
  size_t sample_bytes = 0;
  /// Thread-safe; `bytes` has sample_bytes for each sample. Null = rows stay as they are.
  std::function<void(std::span<const uint8_t> rows, std::span<uint8_t> bytes)> expand;
};

/// A NumPy array of int8, C order: a row for each sample with ALT counts and -1 = missing, or for each haplotype with
/// its alleles.
RowLayout NpyLayout(const CohortDescription& cohort);

}  // namespace genoserve
