// Which calls have one allele only.
#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"
#include "core/io/cohort_writer.h"

namespace genoserve {

/// What the ploidy of a contig follows: that of X the sex; Y and MT have one allele.
enum class Chromosome { kAutosome, kX, kHaploid };

/// By the contig's name: X, Y, M or MT, or as PLINK numbers them 23, 24 and 26, with or without "chr".
Chromosome ChromosomeOf(absl::string_view contig);

/// Tells haploid calls of a cohort. The pseudo-autosomal regions of X are those of GRCh37 or GRCh38, told by the
/// contig's length, else it has none. Thread-safe; the cohort must live longer.
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
