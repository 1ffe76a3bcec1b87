// The first figures of a generator: how a cohort like the training set compares with it, and whether that is good
// enough to publish.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/model/generator.h"
#include "core/quality/cohort_comparison.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// The lowest correlation of allele frequencies with which a generator is published.
inline constexpr double kLeastFrequencyCorrelation = 0.9;

/// A cohort with the labels and phenotypes of the training samples, one for each, drawn with `seed`. CANCELLED once
/// `should_stop` is true; errors are those of the generator.
absl::StatusOr<GenotypeMatrix> GenerateLike(const Generator& generator, const TrainingSet& training, uint64_t seed,
                                            absl::FunctionRef<bool()> should_stop);

/// The groups in which samples i of a training set and of a cohort like it are compared: one a population label, and
/// one a level of each categorical phenotype, named "phenotype=level".
std::vector<SampleGroup> GroupsOf(const v1::Manifest& manifest, const TrainingSet& training);

/// Writes the figures of a comparison into the manifest: af.pearson (with its threshold where it is of all samples),
/// af.rmse and af.max_difference of all samples and each group, ld.neighbour_r2.real and .synthetic with the pairs
/// compared and dropped, and the shares of rows found in the training set, repeated, and repeated there. Figures that
/// are not numbers are left out, but those with a threshold.
void AddFigures(const CohortComparison& comparison, v1::Manifest& manifest);

/// ABORTED with each figure that does not keep its thresholds.
absl::Status CheckGate(const v1::Manifest& manifest);

}  // namespace genoserve
