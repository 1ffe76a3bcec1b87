// A training set from the user's files: genotypes, population labels and phenotypes, and what the manifest tells of
// them.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "genoserve/v1/manifest.pb.h"
#include "core/io/genotype_source.h"
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
};

/// A training set with its place in the manifest.
struct Dataset {
  TrainingSet training;
  VariantTable variants;
  /// Ploidy, phase, variant count and digest, labels, phenotypes, and of the training the data digest, samples and
  /// imputed calls.
  v1::Manifest manifest;
};

/// Reads and checks all files. INVALID_ARGUMENT, with the file and what it has, for haplotypes asked of a file that is
/// not phased throughout, a sample without a label, an unknown label column or phenotype, or a phenotype that no sample
/// has; the readers' errors besides.
absl::StatusOr<Dataset> LoadDataset(const DatasetOptions& options);

}  // namespace genoserve
