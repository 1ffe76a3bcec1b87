// The samples that the figures of use train on and test on, with what is known of each pair of them.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/quality/quality_sets.h"

namespace genoserve {

/// A set of samples; the first three are the candidates, in their order.
enum class UseSet { kSynthetic, kFloor, kNaive, kMembers, kHoldout };
inline constexpr size_t kUseSets = 5;

inline UseSet UseSetOf(Candidate candidate) { return static_cast<UseSet>(candidate); }

/// Rows of UseSamples.
using Rows = std::vector<Eigen::Index>;

/// Most samples of a set: the work grows with their square.
inline constexpr size_t kMostUseSamples = 2000;

/// The five sets one after another: row set * n + i is sample i of a set. Genotypes are ALT counts of a person, 0 to 2,
/// whether or not the files are phased.
struct UseSamples {
  size_t n = 0;             ///< samples of a set
  std::vector<int> labels;  ///< of each row; empty = not known
  /// [phenotype][row]; NaN = missing, also where the set has none.
  std::vector<std::vector<double>> phenotypes;
  /// X X' of all rows' ALT counts: sums of whole numbers, exact up to 4 million variants.
  Eigen::MatrixXf products;
  /// Sum over variants of |x - y|, of each hold-out sample (row) with each row (column).
  Eigen::Matrix<uint32_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> distances;

  /// All rows of a set.
  Rows Of(UseSet set) const;
  /// Those of them whose phenotype is known.
  Rows Of(UseSet set, size_t phenotype) const;
};

/// The naive cohort's phenotypes: draws have none of their own, so they get those of the hold-out samples whose labels
/// they have. Given the label, they have nothing to do with the genotypes.
const std::vector<std::vector<double>>& PhenotypesOf(const QualitySets& sets, UseSet set);
const Cohort& CohortOf(const QualitySets& sets, UseSet set);

/// At most kMostUseSamples of each set, evenly over its order, which is by label. Takes 100 n^2 bytes.
UseSamples MakeUseSamples(const QualitySets& sets);

}  // namespace genoserve
