// A polygenic trait that is simulated on top of a cohort's genotypes: fetch --simulate-pheno.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
#include "genoserve/v1/cohort_manifest.pb.h"

namespace genoserve {

/// The arguments, as given.
struct TraitArguments {
  bool wanted = false;                                ///< --simulate-pheno
  std::optional<double> heritability = std::nullopt;  ///< default 0.5
  std::optional<double> prevalence = std::nullopt;    ///< default: no case/control trait
  std::optional<int64_t> causal = std::nullopt;       ///< default 10
  std::optional<uint64_t> seed = std::nullopt;        ///< default: that of the cohort
};

/// INVALID_ARGUMENT where an argument is given without --simulate-pheno, or out of its range.
absl::Status CheckTraitArguments(const TraitArguments& arguments);

/// What is asked for, of a cohort drawn with `seed`. The arguments must have been checked.
v1::TraitSimulation DescribeTrait(const TraitArguments& arguments, uint64_t seed);

/// An additive trait of variance 1, as GCTA simulates it (Yang et al. 2011, "GCTA: a tool for genome-wide complex trait
/// analysis", section on simulation): y = g + e, g = c sum_j w_j u_j, w_j = (x_j - 2 p_j) / sqrt(2 p_j (1 - p_j)), with
/// x_j the ALT count of causal variant j, p_j its frequency in the cohort, u_j standard normal, c such that g has
/// variance h2 in the cohort, and e normal with variance 1 - h2. The case/control trait is the threshold model on the
/// same liability y (Falconer and Mackay 1996, "Introduction to Quantitative Genetics", chapter 18): the samples with
/// the highest K n liabilities, rounded, are cases, among equal ones those that come first. Causal variants, effects
/// and noise depend on the seed, the variant's index among those of the request and the sample's index, and on nothing
/// else.
///
/// What the trait needs of a sample's genotypes is a record of record_bytes(), which the caller keeps until all samples
/// are there. Frequencies and variances are those of the whole cohort, so that there is no trait of a part of it.
/// Record is thread-safe, everything else not.
class SimulatedTrait {
 public:
  /// INVALID_ARGUMENT, with the flag, where there are fewer variants than are to have an effect, or the prevalence
  /// gives no case or no control among so many samples.
  static absl::StatusOr<SimulatedTrait> Create(const v1::TraitSimulation& options, const VariantTable& variants,
                                               int64_t samples);

  /// Bytes of the record of a sample.
  size_t record_bytes() const { return (causal_.size() + 3) / 4; }
  /// Writes the record of a sample of `rows`, whose variants are the table's.
  void Record(const GenotypeMatrix& rows, size_t sample, std::span<uint8_t> record) const;

  /// Gives the records of all samples of the cohort, in order.
  using Records = absl::FunctionRef<absl::Status(absl::FunctionRef<void(std::span<const uint8_t> record)>)>;
  /// Computes the trait; `records` is called twice. Takes 8 bytes a sample, and with a prevalence 8 more until it
  /// returns. FAILED_PRECONDITION where h2 is not 0 and no causal variant varies in the cohort; else the first error of
  /// `records`.
  absl::Status Finish(Records records);

  /// Names of the columns: sim_trait, and with a prevalence sim_case.
  std::vector<std::string> columns() const;
  /// Adds "<TAB><value>" of each column for a sample: y, and 2 for a case or 1 for a control. After Finish.
  void AppendValues(int64_t sample, std::string* line) const;

  /// What is true of the causal variants, a line each in file order under the line "#CHROM POS ID A1 A1_FREQ BETA
  /// SHARE": the effect allele (ALT), its frequency in the cohort, what each copy adds to y, and the share of y's
  /// variance that the variant makes by itself. A variant that does not vary has BETA and SHARE 0. After Finish.
  std::string Truth() const;

 private:
  struct Causal {
    size_t index = 0;  // among the variants
    VariantRecord variant;
    double u = 0;         // drawn
    double mean = 0;      // ALT count, of the samples that have one
    double variance = 0;  // of the ALT count
    double beta = 0;      // of one ALT allele
  };

  SimulatedTrait(const v1::TraitSimulation& options, const VariantTable& variants, int64_t samples);

  absl::Status Measure(Records records);
  double GeneticValue(std::span<const uint8_t> record) const;
  void FindLastCase();
  // Whether sample `a` comes before `b` in the order of liabilities, the highest first and of equal ones the first.
  bool IsAbove(int64_t a, int64_t b) const;

  v1::TraitSimulation options_;
  int64_t samples_;
  std::vector<Causal> causal_;  // in file order
  std::vector<double> values_;  // y of each sample
  int64_t last_case_ = 0;       // the sample that no case is below
};

}  // namespace genoserve
