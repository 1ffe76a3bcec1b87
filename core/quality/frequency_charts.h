// Charts of frequencies.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/quality/fst.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// "af.scatter": frequencies of the hold-out against those of the synthetic cohort with the line on which they would be
/// equal; every k-th variant, at most 2,000.
v1::Chart FrequencyScatter(std::span<const double> holdout, std::span<const double> synthetic);

/// "het.histogram": the samples' observed heterozygosity in 30 bins over the range of all three cohorts. Each must have
/// a sample.
v1::Chart HeterozygosityHistogram(std::span<const double> holdout, std::span<const double> synthetic,
                                  std::span<const double> naive);

/// "fst.matrix": Fst between labels of these names, of which there are at least 2, hold-out above the diagonal and
/// synthetic below.
v1::Chart FstMatrixChart(const std::vector<std::string>& labels, const LabelFst& holdout, const LabelFst& synthetic);

}  // namespace genoserve
