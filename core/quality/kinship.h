// How nearly related samples are, from their genotypes alone.
//
// KING-robust kinship (Manichaikul et al. 2010, equation 11, as plink2 --make-king computes it): of samples i and j,
//
//   phi = (N_both_het - 2 N_opposite_hom) / (2 m) + 1/2 - (N_het_i + N_het_j) / (4 m),   m = min(N_het_i, N_het_j),
//
// which is 1/2 - sum over variants of (x_i - x_j)^2 / (4 m) with x the count of ALT. It needs no allele frequencies,
// and is about 0 for unrelated samples of one population, below 0 for those of different ones, 1/4 for parent and child
// and for full siblings, 1/2 for duplicates. Where m is 0 it is not defined: then it is taken as 1/2 for samples with
// the same genotypes, and minus infinity for others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
#include "core/quality/bit_planes.h"

namespace genoserve {

/// Lower bounds of the classes of relatives (Manichaikul et al. 2010, table 1): 2^-3/2, 2^-5/2 and 2^-7/2, as rounded
/// in the manual of KING.
inline constexpr double kDuplicateKinship = 0.354;
inline constexpr double kFirstDegreeKinship = 0.177;
inline constexpr double kSecondDegreeKinship = 0.0884;

/// The most variants that kinship is computed on.
inline constexpr size_t kKinshipVariants = 2000;

/// Variants to compute kinship on, ascending: one of each of at most kKinshipVariants runs of equally many variants
/// with a MAF of at least 5 %, the one with the lowest r^2 (Rogers and Huff 2009) to the variant picked before. MAF and
/// r^2 are those of at most 500 samples, evenly picked. Fewer variants, or none, where fewer are that frequent.
std::vector<size_t> KinshipVariants(const GenotypeMatrix& genotypes);

/// Samples as kinship needs them. Const methods are thread-safe.
class KinshipSet {
 public:
  /// All variants of `genotypes` are used; haplotypes of a sample are added up. Missing calls must not occur.
  explicit KinshipSet(const GenotypeMatrix& genotypes);
  /// Those with these indices.
  KinshipSet(const GenotypeMatrix& genotypes, std::span<const size_t> variants);

  size_t samples() const { return planes_.vectors(); }
  /// Heterozygous genotypes of all samples.
  uint64_t heterozygous() const;

  /// Kinship of a sample of this set with samples [first, first + kinship.size()) of `others`, which has the same
  /// variants.
  void KinshipWith(const KinshipSet& others, size_t sample, size_t first, std::span<double> kinship) const;

  /// Calls `found` with j and the kinship of each sample j of [first, first + count) of this set whose kinship with
  /// `sample` is at least `least`, which is more than 0 and at most 1/2. The same values as KinshipWith's, in about
  /// half the time where most are less: differences alone, with opposite homozygotes counted once, rule them out.
  void NearerThan(double least, size_t sample, size_t first, size_t count,
                  absl::FunctionRef<void(size_t, double)> found) const;

 private:
  double Kinship(const KinshipSet& others, size_t sample, size_t other, uint32_t apart, uint32_t mixed) const;

  BitPlanes planes_;
  std::vector<uint64_t> swapped_;       // each sample's two planes the other way round
  std::vector<uint32_t> heterozygous_;  // a sample
  std::vector<uint32_t> two_alt_;       // a sample
};

/// For each sample of `samples`, its largest kinship with a sample of `others`, which has at least one.
std::vector<double> LargestKinship(const KinshipSet& samples, const KinshipSet& others);

/// What FamilyClusters found.
struct FamilySearch {
  size_t families = 0;          ///< of two or more samples
  size_t samples = 0;           ///< in them
  size_t largest = 0;           ///< samples of the largest; 0 without families
  double smallest_kinship = 0;  ///< that joined two samples
  std::string note;             ///< one sentence for people
};

/// One number for each sample, the same for those of one family; empty where no relatives were found. Two samples are
/// of one family where a chain of kinships of at least kFirstDegreeKinship joins them.
///
/// In inbred or closely bred samples such chains run through everybody (heterogeneous stock mice: 8,971 pairs of 1,451
/// mice, 99 % of them in chains), and a family that is most of the samples cannot be kept on one side of a split. So
/// where a family would be over a tenth of the samples (and over ten), the least kinship that joins is raised by 0.01
/// until none is; siblings are nearer than the cousins that chain them, so most of them stay together.
///
/// No relatives are found where the variants cannot show them: fewer than 500 with a MAF of at least 5 %, no
/// heterozygous genotypes (haploid or fully inbred lines), or a stretch of less than 20 Mb of one contig, which people
/// who are no relatives share too. `found` tells which.
std::vector<int> FamilyClusters(const GenotypeMatrix& genotypes, const VariantTable& variants, FamilySearch* found);

}  // namespace genoserve
