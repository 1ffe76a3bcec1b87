// Brings genotypes of several files to the same variants with the same alleles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/genotype_data.h"

namespace genoserve {

/// The genotypes of one file, on their way to a comparison.
struct AlignInput {
  std::string name;  ///< for messages, such as the file's name
  GenotypeData* data;
};

/// What became of the variants of one file.
struct AlignCounts {
  int64_t variants = 0;  ///< that the file had
  int64_t left_out = 0;  ///< of them, those that another file lacks
  int64_t swapped = 0;   ///< of those kept, those with REF and ALT the other way round, turned round
};

/// Keeps of each file the variants that all have, in the order and with the alleles of the first file. Variants are the
/// same where contig (with or without "chr"), position and both alleles are; where REF and ALT are the other way round,
/// the genotypes are turned round and counted. One count a file, in their order.
///
/// INVALID_ARGUMENT in one sentence where no variant is left, saying what differs: names with other positions (another
/// genome build), positions with other alleles, or nothing in common; and also where most of the variants that two
/// files both name lie at other positions, or more have other alleles than the same ones (another strand).
absl::StatusOr<std::vector<AlignCounts>> AlignVariants(const std::vector<AlignInput>& inputs);

}  // namespace genoserve
