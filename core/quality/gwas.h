// Association of single variants with a phenotype, and how the results of two cohorts agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/quality/measurement.h"

namespace genoserve {

/// Rarer variants are not tested: a few carriers give an effect that is noise alone.
inline constexpr double kRarestTested = 0.01;

/// One variant's regression.
struct Association {
  double effect = 0;         ///< of one more ALT allele, in the phenotype's unit
  double chi2 = 0;           ///< the square of Student's t
  double minus_log10_p = 0;  ///< two-sided, of t; at most 1e4
};

/// Results of one cohort and phenotype.
struct AssociationScan {
  std::vector<Association> variants;  ///< of each variant; not meaningful where not tested
  std::vector<uint8_t> tested;        ///< 1 where the variant has a minor allele frequency of kRarestTested or more
  size_t samples = 0;                 ///< whose phenotype is known
};

/// Ordinary least squares of the phenotype on the ALT count (0 to 2) of each variant alone, with an intercept, or an
/// intercept a label where there are labels (`labels` not empty): genotypes and phenotypes are centred within labels,
/// which is the same as labels as covariates (Frisch and Waugh 1933, Lovell 1963), with n - labels - 1 degrees of
/// freedom. A phenotype of two levels is taken as 0 and 1 (a linear probability model). Samples whose phenotype is NaN
/// are left out. Cost: samples x variants.
AssociationScan ScanAssociations(const GenotypeMatrix& genotypes, std::span<const double> phenotype,
                                 std::span<const int> labels);

/// Pearson's r of the effects in two scans over variants tested in both. The bootstrap, as in the two below, is over
/// 100 blocks of neighbouring variants: it tells how much rests on which variants, not on which samples.
Measurement EffectCorrelation(const AssociationScan& real, const AssociationScan& other, uint64_t seed);

/// Jaccard index of the variants that pass 0.05 / M (Bonferroni) in either scan, M being the variants tested in both; n
/// is the number that pass in at least one.
Measurement HitOverlap(const AssociationScan& real, const AssociationScan& other, uint64_t seed);

/// Genomic control (Devlin and Roeder 1999): the median of chi2 over tested variants, over that of its distribution
/// with one degree of freedom, 0.4549.
Measurement GenomicInflation(const AssociationScan& scan, uint64_t seed);

}  // namespace genoserve
