// The parts of MeasureUse, which families.h declares.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/quality/quality_sets.h"
#include "core/quality/use_samples.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Most phenotypes that are measured: the first ones.
inline constexpr size_t kMostPhenotypes = 8;
/// Most phenotypes that have charts.
inline constexpr size_t kMostPhenotypeCharts = 3;
/// Fewest samples with a known value of a phenotype for a figure of it.
inline constexpr size_t kFewestPhenotyped = 20;

/// Why nothing can be learnt from these values of a phenotype: unknown, too few or all the same. `whose` says of which
/// samples, such as "the hold-out samples". Empty where something can.
std::string WhyUnusable(const std::vector<double>& values, absl::string_view name, absl::string_view whose);

/// "the synthetic samples", "the training samples of the floor", ...
absl::string_view NameOf(UseSet set);

/// use.label_accuracy, use.augmented_gain, use.label_recovered and the chart use.confusion. Samples are resampled of
/// those that are tested, each on its own: where they are relatives, intervals are too narrow. Classifiers stay as
/// fitted.
void AddLabelFigures(const QualitySets& sets, const UseSamples& samples, v1::Quality* quality);

/// use.request_r, use.request_recovered, use.pheno_r, use.pheno_r2, use.pheno_auc and the chart
/// use.phenotype_scatter, of one phenotype. Resampled as above.
void AddPhenotypeFigures(const QualitySets& sets, const UseSamples& samples, size_t phenotype, v1::Quality* quality);

/// gwas.beta_r, gwas.hit_overlap, gwas.lambda_gc and the charts gwas.manhattan and gwas.qq, of the first
/// kMostPhenotypes phenotypes.
void AddAssociationFigures(const QualitySets& sets, v1::Quality* quality);

}  // namespace genoserve
