#include "core/quality/measurement.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/parallel.h"
#include "core/base/philox.h"
#include "core/base/quantile.h"

namespace genoserve {
namespace {

// n indices of [0, n) with replacement: replicate `replicate` of a bootstrap.
std::vector<uint32_t> Resample(size_t n, uint64_t seed, size_t replicate) {
  const PhiloxStream stream(seed, replicate, 0, Purpose::kQuality);
  std::vector<uint32_t> indices(n);
  stream.FillBits(0, indices);
  for (uint32_t& index : indices) index = static_cast<uint32_t>(uint64_t{index} * n >> 32);
  return indices;
}

void SetReference(const Measurement& measurement, v1::Reference* reference) {
  reference->set_value(measurement.value);
  reference->set_low(measurement.low);
  reference->set_high(measurement.high);
}

}  // namespace

Measurement NotMeasured(absl::string_view reason) {
  Measurement measurement;
  measurement.reason = std::string(reason);
  return measurement;
}

Measurement WithReplicates(double value, std::vector<double> replicates, size_t n, absl::string_view otherwise) {
  if (n < 2 || !std::isfinite(value)) return NotMeasured(otherwise);
  Measurement measurement;
  measurement.n = static_cast<int64_t>(n);
  measurement.value = value;
  std::erase_if(replicates, [](double replicate) { return !std::isfinite(replicate); });
  std::sort(replicates.begin(), replicates.end());
  measurement.low = replicates.empty() ? value : Quantile(replicates, 0.025);
  measurement.high = replicates.empty() ? value : Quantile(replicates, 0.975);
  return measurement;
}

Measurement Bootstrap(size_t n, uint64_t seed, absl::FunctionRef<double(std::span<const uint32_t>)> statistic,
                      absl::string_view otherwise) {
  if (n < 2) return NotMeasured(otherwise);
  std::vector<uint32_t> all(n);
  std::iota(all.begin(), all.end(), 0U);
  const double value = statistic(all);
  if (!std::isfinite(value)) return NotMeasured(otherwise);
  std::vector<double> replicates(kReplicates);
  ParallelFor(kReplicates, [&](size_t i) { replicates[i] = statistic(Resample(n, seed, i)); });
  return WithReplicates(value, std::move(replicates), n, otherwise);
}

Measurement BootstrapMean(std::span<const double> values, uint64_t seed, absl::string_view otherwise) {
  return Bootstrap(
      values.size(), seed,
      [values](std::span<const uint32_t> indices) {
        double sum = 0;
        for (const uint32_t i : indices) sum += values[i];
        return sum / static_cast<double>(indices.size());
      },
      otherwise);
}

Measurements ForEachCandidate(absl::FunctionRef<Measurement(Candidate)> measure) {
  Measurements measurements;
  for (const Candidate candidate : kCandidates) measurements[static_cast<size_t>(candidate)] = measure(candidate);
  return measurements;
}

void AddFigure(absl::string_view name, absl::string_view label, const Measurements& measurements,
               v1::Quality* quality) {
  const auto& [synthetic, floor, naive] = measurements;
  v1::Figure& figure = *quality->add_figures();
  figure.set_name(std::string(name));
  figure.set_label(std::string(label));
  figure.set_n(synthetic.n);
  if (synthetic.reason.empty()) {
    figure.set_value(synthetic.value);
    figure.set_low(synthetic.low);
    figure.set_high(synthetic.high);
  } else {
    figure.set_reason(synthetic.reason);
  }
  if (floor.reason.empty()) SetReference(floor, figure.mutable_floor());
  if (naive.reason.empty()) SetReference(naive, figure.mutable_naive());
}

void AddMissingFigure(absl::string_view name, absl::string_view label, absl::string_view reason, v1::Quality* quality) {
  AddFigure(name, label, ForEachCandidate([reason](Candidate) { return NotMeasured(reason); }), quality);
}

}  // namespace genoserve
