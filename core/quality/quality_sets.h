// The cohorts that a figure compares: equal in size, equal in labels, of the same variants.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"

namespace genoserve {

/// A phenotype that some cohorts have.
struct PhenotypeKind {
  std::string name;
  std::vector<std::string> levels;  ///< of a categorical one; empty = continuous
};

/// Samples with their genotypes, and labels and phenotypes where these are known.
struct Cohort {
  GenotypeMatrix genotypes;  ///< without missing calls
  std::vector<int> labels;   ///< one a sample, an index into QualitySets::labels; -1 = none of them; empty = not known
  /// [phenotype][sample], in the unit of the file or the index of a level; NaN = missing. Empty = not known.
  std::vector<std::vector<double>> phenotypes;

  size_t samples() const { return genotypes.samples(); }
  /// The samples with these indices, in their order.
  Cohort Select(const std::vector<size_t>& indices) const;
  /// Indices of the samples with this label, ascending.
  std::vector<size_t> WithLabel(int label) const;
};

/// Weights of the samples of `from`, of mean 1, with which its labels are as frequent as in `like`; all 1 where either
/// has no labels. Labels that `from` lacks, and samples without a label, count for nothing.
std::vector<double> WeightsByLabel(const Cohort& from, const Cohort& like);

/// What stands in the place of the synthetic cohort.
enum class Candidate {
  kSynthetic,  ///< the cohort that is judged
  kFloor,      ///< real training samples: as good as a generator can be at this size
  kNaive,      ///< independent draws of each variant by its frequency in the training, per label
};
inline constexpr std::array kCandidates = {Candidate::kSynthetic, Candidate::kFloor, Candidate::kNaive};

/// All cohorts of one comparison. They have the same variants and one packing: haplotypes where all files are phased,
/// else diploid genotypes. All but the whole ones and the reference have n samples, with the same count of each label,
/// so that a figure of one candidate can be held against that of another.
///
/// Figures of fidelity compare a candidate with `holdout`, whom no generator saw. Figures of privacy ask whether a
/// candidate is nearer to `members` than to `holdout`.
struct QualitySets {
  VariantTable variants;
  std::vector<std::string> labels;        ///< names; empty = no labels
  std::vector<PhenotypeKind> phenotypes;  ///< of the training and hold-out cohorts; others have all of them or none
  uint64_t seed = 0;                      ///< of all draws

  Cohort whole_training;
  Cohort whole_holdout;
  Cohort whole_synthetic;

  Cohort members;                    ///< n of the training samples
  Cohort holdout;                    ///< n of the hold-out samples
  std::array<Cohort, 3> candidates;  ///< n each, by Candidate; the floor has no sample of `members`
  /// Up to n further training samples, of neither members nor floor, nor of the members' families: what an attacker
  /// knows of the population. Smaller, or empty, where the training has no more.
  Cohort reference;

  Packing packing() const { return holdout.genotypes.packing(); }
  size_t n() const { return holdout.samples(); }
  const Cohort& candidate(Candidate which) const { return candidates[static_cast<size_t>(which)]; }
};

/// Fills in members, holdout, candidates and reference of sets that have all else. Samples are drawn without
/// replacement by Philox with the seed; where there are labels, per label, with as many as each cohort can give; where
/// some training samples are in one family (`families`, one number a training sample; empty = none are), a family is on
/// one side of members and floor. INVALID_ARGUMENT, with the sizes, where fewer than 20 samples remain.
absl::Status EqualiseSets(const std::vector<int>& families, QualitySets* sets);

}  // namespace genoserve
