// How figures are made: a value with its bootstrap interval, for each candidate, written into a Quality message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// A value and its 95 % interval, or why there is none.
struct Measurement {
  double value = 0;
  double low = 0;
  double high = 0;
  int64_t n = 0;       ///< what it is over
  std::string reason;  ///< empty, or one clear sentence why there is no value
};

/// A measurement that could not be made.
Measurement NotMeasured(absl::string_view reason);

/// Replicates of a bootstrap.
inline constexpr size_t kReplicates = 200;

/// Percentile bootstrap (Efron and Tibshirani 1993, section 13.3): the 2.5 % and 97.5 % quantiles of `statistic` over
/// kReplicates resamples, with replacement, of the indices [0, n). Its value is that of all indices once. What is
/// resampled is what is independent: samples where a statistic is a mean over samples, blocks of neighbouring variants
/// where it is a sum over variants. Replicates whose statistic is not finite are left out. NotMeasured where n < 2 or
/// the value is not finite, with `otherwise` as its reason. Draws by Philox with `seed`; `statistic` is called from
/// several threads at once.
Measurement Bootstrap(size_t n, uint64_t seed, absl::FunctionRef<double(std::span<const uint32_t>)> statistic,
                      absl::string_view otherwise);

/// A value with the interval of its replicates, which the caller drew: as Bootstrap has it. `n` is what it is over.
Measurement WithReplicates(double value, std::vector<double> replicates, size_t n, absl::string_view otherwise);

/// The mean of values, one a sample, with its bootstrap interval.
Measurement BootstrapMean(std::span<const double> values, uint64_t seed, absl::string_view otherwise);

/// One measurement a candidate, by Candidate.
using Measurements = std::array<Measurement, 3>;

/// Calls `measure` for each candidate.
Measurements ForEachCandidate(absl::FunctionRef<Measurement(Candidate)> measure);

/// Adds a figure: the synthetic cohort's measurement with floor and naive beside it. A floor or naive measurement that
/// was not made is left out.
void AddFigure(absl::string_view name, absl::string_view label, const Measurements& measurements, v1::Quality* quality);

/// Adds a figure that could not be computed for any candidate.
void AddMissingFigure(absl::string_view name, absl::string_view label, absl::string_view reason, v1::Quality* quality);

}  // namespace genoserve
