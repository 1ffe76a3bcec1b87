// What a loaded version shows of itself before it may serve: samples in tiles of every shape, which warm it up, and
// what these samples are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/model/generator.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Samples of a check, at least.
inline constexpr int64_t kCheckedSamples = 1000;

/// What was seen of the samples of a check.
struct SampleTally {
  int64_t samples = 0;
  std::vector<double> frequencies;  ///< of ALT, one a variant
  bool missing = false;             ///< some genotype is missing
  bool all_samples_same = false;
  bool all_genotypes_same = false;
};

/// Generates samples of an unconditional cohort of seed 0 in tiles of every size from 8 to the largest in doublings,
/// each twice, and further ones of the largest size until there are enough. Errors are those of the generator.
absl::StatusOr<SampleTally> GenerateForCheck(const v1::Manifest& manifest, const Generator& generator);

/// FAILED_PRECONDITION, with the figures, where a tally is of no use to anybody: missing genotypes, which no generator
/// has; samples that are all the same, unless the manifest's frequencies leave next to nothing that could differ;
/// frequencies that CompareFrequencies refuses, where the manifest has some.
absl::Status CheckTally(const v1::Manifest& manifest, const SampleTally& tally);

/// Compares the allele frequencies of two sets of samples of one generator: `found` among `samples`, and `expected`
/// among `expected_samples`. FAILED_PRECONDITION, with the figures, where they differ by more than chance allows and a
/// tolerance.
///
/// Both sides are means over people that were drawn independently, so that a difference d of a variant of frequency p
/// has a variance of at most v = p (1 - p) (1 / n + 1 / m), even where the two alleles of a person are always equal.
/// - The largest |d| must be within Bernstein's bound sqrt(2 v L) + 2 L / (3 min(n, m)) with L = ln(2 variants / 1e-6):
///   by chance one good version in a million breaks it at any variant, rare ones included, whatever hangs together.
/// - The root mean square of d must be within 3 sqrt(mean v): its expectation is at most sqrt(mean v), and three times
///   that is the reach of chance even if all variants varied along one axis.
/// To these come 0.05 and 0.02 for what is meant to differ: precisions (up to kMostFrequencyShift), and phenotypes,
/// which the trainer's samples have together and these one by one.
absl::Status CompareFrequencies(std::span<const double> expected, int64_t expected_samples,
                                std::span<const double> found, int64_t samples);

}  // namespace genoserve
