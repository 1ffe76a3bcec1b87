// How many samples have each genotype at each variant, of which all figures of frequencies are made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/quality/quality_sets.h"

namespace genoserve {

/// Genotypes of each variant among some samples; those that are not counted are homozygous REF.
struct VariantCounts {
  size_t samples = 0;
  std::vector<uint32_t> het;      ///< samples with one ALT allele, one number a variant
  std::vector<uint32_t> hom_alt;  ///< samples with two

  size_t variants() const { return het.size(); }
  /// ALT alleles among 2 * samples.
  uint64_t Alt(size_t variant) const { return het[variant] + uint64_t{2} * hom_alt[variant]; }
  /// Share of ALT alleles. There must be a sample.
  double Frequency(size_t variant) const {
    return static_cast<double>(Alt(variant)) / static_cast<double>(2 * samples);
  }
  /// Whether both alleles are there.
  bool Varies(size_t variant) const { return Alt(variant) != 0 && Alt(variant) != 2 * samples; }
};

/// Genotypes of a cohort, of which haplotypes are paired to diploids: rows 2i and 2i + 1 are sample i.
struct CohortCounts {
  VariantCounts all;
  std::vector<VariantCounts> labels;   ///< of the samples with each label
  std::vector<double> heterozygosity;  ///< share of the variants at which a sample is heterozygous, one a sample
};

/// Counts a cohort without missing calls, whose labels are below `labels`.
CohortCounts CountGenotypes(const Cohort& cohort, size_t labels);

/// ALT frequencies, one a variant. NaN without samples.
std::vector<double> FrequenciesOf(const VariantCounts& counts);

/// Shares of heterozygous, homozygous ALT and homozygous REF samples: three numbers a variant, variant by variant. NaN
/// without samples.
std::vector<double> GenotypeRatesOf(const VariantCounts& counts);

/// F = 1 - H_obs / H_exp, the lack of heterozygotes against Hardy-Weinberg proportions (Wright 1951): H_obs = share of
/// heterozygotes, H_exp = 2 p (1 - p), without correction for the number of samples. One a variant; NaN where it does
/// not vary.
std::vector<double> InbreedingOf(const VariantCounts& counts);

}  // namespace genoserve
