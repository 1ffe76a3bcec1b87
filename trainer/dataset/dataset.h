// A training set from the user's files: genotypes, population labels and phenotypes, and what the manifest tells of
// them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/io/genotype_source.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Which files to learn from, and how.
struct DatasetOptions {
  GenotypeSource genotypes;
  bool diploid = false;                      ///< the generator makes diploid genotypes: haplotypes are added up
  std::string panel;                         ///< file; empty = no labels
  std::string label_column;                  ///< of the panel
  std::string phenotypes;                    ///< file; empty = none
  std::vector<std::string> phenotype_names;  ///< columns, in the order of the network's inputs
  std::vector<std::string> categorical;      ///< columns of numbers that are levels
  double holdout_share = 0;                  ///< of the samples, as SplitHoldout takes it
  int64_t min_label_samples = 2;             ///< a label with fewer training samples is refused
  std::vector<std::string> log_scale;        ///< of phenotype_names: columns that the network sees the logarithms of
};

/// A training set with its place in the manifest.
struct Dataset {
  TrainingSet training;
  TrainingSet holdout;        ///< samples that the training does not see, in the same form
  std::vector<int> families;  ///< one a training sample, as FamilyClusters numbers them
  std::string family_note;    ///< what FamilyClusters found; empty without a hold-out
  /// For people, one sentence each: labels with few samples, phenotypes with missing values.
  std::vector<std::string> notes;
  VariantTable variants;
  /// Ploidy, phase, variant count and digest, labels, phenotypes, and of the training the data digest, samples,
  /// hold-out samples and imputed calls. Labels and phenotypes are described as the training samples have them.
  v1::Manifest manifest;
};

/// Reads and checks all files, and keeps the hold-out apart. INVALID_ARGUMENT, with the file and what it has, for
/// haplotypes asked of a file that is not phased throughout, a sample without a label, an unknown label column or
/// phenotype, a label with too few samples, a phenotype that no sample has, or a log scale of one that has values of 0
/// or less; the readers' errors besides.
///
/// Memory: the packed matrix once and the hold-out's part of it again; from a VCF the matrix twice.
absl::StatusOr<Dataset> LoadDataset(const DatasetOptions& options);

}  // namespace genoserve
