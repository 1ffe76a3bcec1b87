#include "trainer/loop/generator_quality.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/status.h"
#include "core/quality/quality_sets.h"

namespace genoserve {
namespace {

Cohort CohortOf(const TrainingSet& samples, GenotypeMatrix genotypes) {
  return {std::move(genotypes), samples.labels, samples.phenotypes};
}

void AddSet(const char* role, const char* source, const GenotypeMatrix& genotypes, int64_t imputed,
            v1::QualityInputs* inputs) {
  v1::QualitySet& set = *inputs->add_sets();
  set.set_role(role);
  set.set_source(source);
  set.set_samples(static_cast<int64_t>(genotypes.samples()));
  set.set_variants(static_cast<int64_t>(genotypes.variants()));
  set.set_imputed_calls(imputed);
}

QualitySets SetsOf(const v1::Manifest& manifest, const RealSamples& real, GeneratedCohort cohort) {
  QualitySets sets;
  sets.variants = real.variants;
  sets.seed = manifest.training().seed();
  for (const v1::LabelSchema& label : manifest.labels()) sets.labels.push_back(label.name());
  for (const v1::PhenotypeSchema& phenotype : manifest.phenotypes()) {
    const auto& levels = phenotype.categorical().levels();
    sets.phenotypes.push_back({phenotype.name(), {levels.begin(), levels.end()}});
  }
  sets.whole_training = CohortOf(real.training, real.training.genotypes);
  sets.whole_holdout = CohortOf(real.holdout, real.holdout.genotypes);
  sets.whole_synthetic = CohortOf(cohort.like, std::move(cohort.genotypes));
  return sets;
}

}  // namespace

absl::StatusOr<GenotypeMatrix> GenerateLike(const Generator& generator, const TrainingSet& training, uint64_t seed,
                                            absl::FunctionRef<bool()> should_stop) {
  const size_t samples = training.genotypes.samples();
  const Packing packing = generator.packing();
  GenotypeMatrix cohort(packing, samples * RowsPerSample(packing), generator.variant_count());
  const size_t sample_bytes = cohort.row_bytes() * RowsPerSample(packing);
  std::vector<std::vector<double>> phenotypes(samples);
  for (size_t i = 0; i < samples; ++i) {
    for (const std::vector<double>& values : training.phenotypes) phenotypes[i].push_back(values[i]);
  }
  for (size_t first = 0; first < samples; first += generator.max_tile_samples()) {
    if (should_stop()) return absl::CancelledError("interrupted");
    const size_t count = std::min(generator.max_tile_samples(), samples - first);
    std::vector<SampleSpec> specs(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t sample = first + i;
      specs[i] = {seed, sample, training.labels.empty() ? -1 : training.labels[sample], phenotypes[sample]};
    }
    GenotypeMatrix rows(packing, count * RowsPerSample(packing), generator.variant_count());
    GENOSERVE_RETURN_IF_ERROR(generator.Generate(specs, {}, rows));
    std::copy(rows.bytes().begin(), rows.bytes().end(),
              cohort.mutable_bytes().begin() + static_cast<ptrdiff_t>(first * sample_bytes));
  }
  return cohort;
}

absl::Status CheckMeasurable(const v1::Manifest& manifest, const RealSamples& real) {
  QualitySets sets = SetsOf(manifest, real, {real.training, real.training.genotypes});
  return EqualiseSets(real.families, &sets);
}

absl::StatusOr<v1::Quality> MeasureGenerator(const v1::Manifest& manifest, const RealSamples& real,
                                             GenotypeMatrix cohort, const MeasureProgress& progress) {
  v1::Quality quality;
  v1::QualityInputs& inputs = *quality.mutable_inputs();
  AddSet("training", "training data", real.training.genotypes, manifest.training().imputed_calls(), &inputs);
  AddSet("holdout", "kept apart from the training data", real.holdout.genotypes, 0, &inputs);
  AddSet("synthetic", "drawn from the generator", cohort, 0, &inputs);
  if (!real.family_note.empty()) inputs.add_notes(real.family_note);
  inputs.set_label_column(manifest.label_column());
  inputs.set_code_version(manifest.training().code_version());

  QualitySets sets = SetsOf(manifest, real, {real.training, std::move(cohort)});
  GENOSERVE_RETURN_IF_ERROR(MeasureQuality(real.families, &sets, progress, &quality));
  return quality;
}

absl::StatusOr<v1::Quality> MeasureGeneratorQuickly(const v1::Manifest& manifest, const RealSamples& real,
                                                    GeneratedCohort cohort, const MeasureProgress& progress) {
  v1::Quality quality;
  QualitySets sets = SetsOf(manifest, real, std::move(cohort));
  GENOSERVE_RETURN_IF_ERROR(MeasureDecisive(real.families, &sets, progress, &quality));
  return quality;
}

}  // namespace genoserve
