// The quality of a generator: a cohort like the training set, measured beside the hold-out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/model/generator.h"
#include "core/quality/measure.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// A cohort with the labels and phenotypes of the training samples, one for each, drawn with `seed`. CANCELLED once
/// `should_stop` is true; errors are those of the generator.
absl::StatusOr<GenotypeMatrix> GenerateLike(const Generator& generator, const TrainingSet& training, uint64_t seed,
                                            absl::FunctionRef<bool()> should_stop);

/// Real samples that a generator is measured with.
struct RealSamples {
  const TrainingSet& training;
  const TrainingSet& holdout;
  const std::vector<int>& families;  ///< one a training sample; empty = none are related
  const VariantTable& variants;
  const std::string& family_note;  ///< for people; may be empty
};

/// Whether there are samples enough to measure a generator with, so that nobody trains for hours in vain. Errors are
/// those of EqualiseSets.
absl::Status CheckMeasurable(const v1::Manifest& manifest, const RealSamples& real);

/// All figures of a cohort that GenerateLike made, without a gate. The manifest tells labels, phenotypes, seed and code
/// version. Errors are those of MeasureQuality.
absl::StatusOr<v1::Quality> MeasureGenerator(const v1::Manifest& manifest, const RealSamples& real,
                                             GenotypeMatrix cohort, const MeasureProgress& progress);

/// A cohort that GenerateLike made.
struct GeneratedCohort {
  const TrainingSet& like;  ///< whose labels and phenotypes it has
  GenotypeMatrix genotypes;
};

/// Of the figures of MeasureGenerator those that MeasureDecisive makes, within seconds.
absl::StatusOr<v1::Quality> MeasureGeneratorQuickly(const v1::Manifest& manifest, const RealSamples& real,
                                                    GeneratedCohort cohort, const MeasureProgress& progress);

}  // namespace genoserve
