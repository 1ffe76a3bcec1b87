// Files in which every variant has a column of the same size, with two bits for each sample.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "core/io/cohort_writer.h"
#include "core/io/plain_output.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// What comes before the columns, and what is made of codes.
struct ColumnLayout {
  std::string head;
  /// Turns two-bit codes, as VariantSegment has them, into what the file has; null = they stay as they are.
  void (*map)(std::span<uint8_t> codes) = nullptr;

  /// Applies `map` to the codes of `samples` samples of one variant. Only the last samples of a variant may end within
  /// a byte; what pads it is 0.
  void Apply(std::span<uint8_t> codes, int64_t samples) const;
};

/// Turns codes by `word(x)`, which turns 32 of them at once, the first in the lowest bits.
template <typename Word>
void MapCodes(std::span<uint8_t> codes, Word word) {
  size_t i = 0;
  for (; i + 8 <= codes.size(); i += 8) {
    uint64_t bits;
    std::memcpy(&bits, &codes[i], 8);
    bits = word(bits);
    std::memcpy(&codes[i], &bits, 8);
  }
  for (; i < codes.size(); ++i) codes[i] = static_cast<uint8_t>(word(codes[i]));
}

/// The lower bit of each code.
inline constexpr uint64_t kLowBits = 0x5555'5555'5555'5555;

/// A PLINK 1 .bed.
ColumnLayout BedLayout(const CohortDescription& cohort);

/// A PLINK 2 .pgen of records of one size, for diploid genotypes.
ColumnLayout PgenLayout(const CohortDescription& cohort);

/// Writes the whole of such a file.
absl::Status WriteColumns(const ColumnLayout& layout, const SegmentSource& genotypes, PlainOutput& output);

}  // namespace genoserve
