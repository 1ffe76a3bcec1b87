// Which calls have one allele only.
#pragma once

#include <cstdint>

#include "core/io/cohort_writer.h"

namespace genoserve {

/// Tells haploid calls of a cohort. "X", "Y", "M" and "MT", with or without "chr", are the contigs that it knows; the
/// pseudo-autosomal regions of X are those of GRCh37 or GRCh38, told by the contig's length, else it has none.
/// Thread-safe; the cohort must live longer.
class Ploidy {
 public:
  explicit Ploidy(const CohortDescription& cohort) : cohort_(cohort) {}

  /// Whether some call of a variant may be haploid.
  bool MayBeHaploid(size_t variant) const;
  /// Whether the call of a sample is haploid at such a variant, where its genotype is homozygous or missing.
  bool IsHaploid(size_t variant, int64_t sample) const;

 private:
  enum class Kind { kDiploid, kMales, kAll };
  Kind KindOf(size_t variant) const;

  const CohortDescription& cohort_;
};

}  // namespace genoserve
