// Genotypes variant by variant, and as rows: the forms in which files take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace genoserve {

/// The genotypes of one variant for a run of samples: two bits a sample, the first in the lowest bits; bits after the
/// last are 0. The two bits are the code of a diploid genotype, or the alleles of the first and second haplotype.
struct VariantSegment {
  size_t variant = 0;
  int64_t first_sample = 0;  ///< a multiple of 4, so that segments of a variant join at whole bytes
  int64_t samples = 0;
  std::span<const uint8_t> codes;  ///< (samples + 3) / 4 bytes
};

using TakeSegment = absl::FunctionRef<absl::Status(const VariantSegment&)>;

/// Gives all genotypes to a function, variant after variant and within each all samples in order; stops at an error
/// and returns it.
using SegmentSource = std::function<absl::Status(TakeSegment)>;

/// Takes packed rows of whole samples, the first of which has the index `first`.
using TakeRows = absl::FunctionRef<absl::Status(int64_t first, std::span<const uint8_t> rows)>;

/// Gives all packed rows to a function, some samples at a time, in order; stops at an error and returns it.
using RowSource = std::function<absl::Status(TakeRows)>;

}  // namespace genoserve
