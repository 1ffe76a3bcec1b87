// Attribute inference: what an attacker who has a synthetic cohort, and part of a person's genotypes, learns of the
// rest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// The part of the variants that is hidden.
inline constexpr double kHiddenShare = 0.1;
/// Records whose genotypes a guess is made of.
inline constexpr size_t kGuessingRecords = 5;

/// Guesses of one row's hidden genotypes, told apart by whether the true genotype is the most frequent one at its
/// variant (0) or another (1).
struct Guesses {
  std::array<uint32_t, 2> made = {};
  std::array<uint32_t, 2> right = {};
};

/// The hidden variants, ascending: kHiddenShare of them, rounded, at least one of two or more; drawn by Philox with the
/// seed and the same for all rows and cohorts.
std::vector<size_t> HiddenVariants(size_t variants, uint64_t seed);

/// Hides variants of rows and guesses them from a cohort. Const methods are thread-safe.
class AttributeAttack {
 public:
  /// `most_frequent` gives the most frequent code of each variant. `hidden` holds ascending indices, not of all
  /// variants.
  AttributeAttack(std::vector<size_t> hidden, const std::vector<uint8_t>& most_frequent);

  /// Guesses of each row's hidden genotypes: the rounded mean (of alleles: the majority) of the kGuessingRecords rows
  /// of `cohort`, or all where it has fewer, that are nearest by the other variants, equally near ones by their order.
  std::vector<Guesses> Attack(const GenotypeMatrix& rows, const GenotypeMatrix& cohort) const;

 private:
  std::vector<size_t> hidden_;
  std::vector<size_t> known_;
  std::vector<uint8_t> most_frequent_;  // of the hidden ones
};

/// Accuracy over rows, `rows_per_person` a person, where each person counts so many times: the mean of the shares
/// guessed right among genotypes that are the most frequent and among those that are not (balanced accuracy, Brodersen
/// et al. 2010). 1/2 for one who always guesses the most frequent genotype; NaN where there are no genotypes of one
/// kind.
double BalancedAccuracy(std::span<const Guesses> rows, size_t rows_per_person, std::span<const uint32_t> times);

/// The most frequent code at each variant; of equally frequent ones the lowest.
std::vector<uint8_t> MostFrequentCodes(const GenotypeMatrix& genotypes);

}  // namespace genoserve
