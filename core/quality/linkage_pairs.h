// Correlations of pairs of variants, and sums over pairs of which the figures of linkage disequilibrium are made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
#include "core/quality/bit_planes.h"
#include "core/quality/quality_sets.h"

namespace genoserve {

/// Variants of a pair that count as near are at most this far apart in the table, on one contig ("LD 200"): on a dense
/// panel nearly all pairs are far and hardly linked, so that a mean over all pairs would say little about linkage.
inline constexpr size_t kLinkageWindow = 200;
/// Near pairs with at least this r^2 among the members are strong.
inline constexpr double kStrongR2 = 0.2;
/// At most so many far pairs are measured.
inline constexpr size_t kFarPairs = 50'000;
/// Bins of distance: one below 1 bp, then five a decade, [10^(k/5), 10^((k+1)/5)) bp, up to the longest contig.
inline constexpr size_t kDecayBins = 48;

/// Lower edges of the bins of distance, in bp, rounded to whole ones. Bins that the rounding makes empty stay empty.
const std::array<int64_t, kDecayBins>& DecayEdges();

/// One set's variants, ready for correlations. Haplotypes: r = (p_AB - p_A p_B) / sqrt(p_A (1 - p_A) p_B (1 - p_B))
/// (Hill and Robertson 1968). Diploid genotypes: r = cov(x, y) / sqrt(var x var y) of ALT counts (Rogers and Huff
/// 2009). Both are Pearson's r. With n rows, r^2 of unlinked variants is about 1/n and not 0; sets that are compared
/// have the same size and so the same bias, which is therefore not subtracted. Const methods are thread-safe.
class VariantCorrelations {
 public:
  /// Missing genotypes must not occur.
  explicit VariantCorrelations(const GenotypeMatrix& genotypes);

  size_t variants() const { return planes_.vectors(); }
  /// r of `first` and each of the out.size() variants after it, NaN where one of the two does not vary.
  void WithNext(size_t first, std::span<double> out) const;
  /// r of two variants, NaN where one of them does not vary.
  double Of(size_t i, size_t j) const;

 private:
  double R(size_t i, size_t j, uint64_t product) const;

  BitPlanes planes_;
  std::vector<double> sums_;            // of ALT counts over rows
  std::vector<double> inverse_spread_;  // 1 / sqrt(n sum x^2 - (sum x)^2); NaN where a variant does not vary
};

/// Sums over pairs of variants that vary both in the real and in the compared set.
struct PairSums {
  int64_t considered = 0;  ///< pairs, those in which a variant does not vary too
  int64_t pairs = 0;       ///< pairs in the sums
  double squared_gap = 0;  ///< of r^2
  double real_r = 0;
  double compared_r = 0;
  double real_r2 = 0;
  double compared_r2 = 0;
  double product_r = 0;  ///< of real and compared r

  /// Adds a pair with these r, where NaN = does not vary.
  void Add(double real, double compared);
  PairSums& operator+=(const PairSums& other);
  /// sqrt(mean (r2_compared - r2_real)^2); NaN without pairs.
  double R2Rmse() const;
  /// Pearson correlation of the r of both sets; NaN where it has none.
  double CorrelationOfR() const;
};

/// Sums over near pairs, by distance.
struct DecaySums {
  struct Bin {
    int64_t pairs = 0;
    double real_r2 = 0;
    double compared_r2 = 0;
  };
  std::array<Bin, kDecayBins> bins;

  DecaySums& operator+=(const DecaySums& other);
};

/// Sums over the near pairs whose first variant is in one block of neighbouring variants.
struct NearSums {
  PairSums window;      ///< at most kLinkageWindow apart
  PairSums neighbours;  ///< next to one another
  PairSums strong;      ///< with an r^2 of at least kStrongR2 among the members
  DecaySums decay;
};

/// A real set, and those that are compared with it, by Candidate. The members tell which pairs are strong: pairs are
/// partly strong by chance, and since no sample of theirs is in the real set or the floor, that favours neither.
struct LinkageSets {
  VariantCorrelations members;
  VariantCorrelations real;
  std::array<VariantCorrelations, kCandidates.size()> compared;

  /// The members, the hold-out and the candidates.
  static LinkageSets Of(const QualitySets& sets);
  /// Their samples with this label.
  static LinkageSets OfLabel(const QualitySets& sets, int label);
};

/// [candidate][block]
template <class Sums>
using BlockSums = std::array<std::vector<Sums>, kCandidates.size()>;

/// Blocks that the variants are cut into, of equal width, so that they are nearly independent and can be resampled: as
/// wide as the window, but at least 20 and at most 500.
size_t LinkageBlocks(size_t variants);

/// The index after the last variant that is near to each one: on its contig and within the window.
std::vector<size_t> NearEnds(const VariantTable& variants);

/// Sums over the near pairs whose first variant is a multiple of `stride`. Spread over threads.
BlockSums<NearSums> SumNearPairs(const LinkageSets& sets, const VariantTable& variants, size_t stride);

/// Two variants, i < j.
struct VariantPair {
  size_t i = 0;
  size_t j = 0;
};

/// Pairs that are not near, on one contig or two, ascending: all of them where there are at most `most`, else `most`,
/// one drawn from each of as many equal parts of them all.
std::vector<VariantPair> FarPairs(const VariantTable& variants, size_t most, uint64_t seed);

/// Sums over these pairs, by the block of the first variant. Spread over threads.
BlockSums<PairSums> SumPairs(const LinkageSets& sets, std::span<const VariantPair> pairs);

}  // namespace genoserve
