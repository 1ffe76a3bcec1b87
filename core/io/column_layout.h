// Files in which every variant has a column of the same size, with two bits for each sample.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "core/io/cohort_writer.h"
#include "core/io/plain_output.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// What comes before the columns, and what four samples' two-bit codes, as VariantSegment has them, become.
struct ColumnLayout {
  std::string head;
  std::array<uint8_t, 256> bytes;

  /// Turns the codes of `samples` samples of one variant into what the file has. Only the last samples of a variant may
  /// end within a byte; what pads it is 0.
  void Apply(std::span<uint8_t> codes, int64_t samples) const;
};

/// A PLINK 1 .bed.
ColumnLayout BedLayout(const CohortDescription& cohort);

/// A PLINK 2 .pgen of records of one size, for diploid genotypes.
ColumnLayout PgenLayout(const CohortDescription& cohort);

/// Writes the whole of such a file.
absl::Status WriteColumns(const ColumnLayout& layout, const SegmentSource& genotypes, PlainOutput& output);

}  // namespace genoserve
