// Compiled with -ffp-contract=off: values must not change with the machine.
#include "server/cohort/cohort_plan.h"

#include <algorithm>
#include <type_traits>

#include "core/base/philox.h"
#include "server/cohort/draws.h"

namespace genoserve {

int CohortPlan::Label(uint64_t seed, int64_t sample) const {
  if (const auto* blocks = std::get_if<LabelBlocks>(&labels_)) {
    const auto block = std::upper_bound(blocks->ends.begin(), blocks->ends.end(), sample);
    return blocks->labels[static_cast<size_t>(block - blocks->ends.begin())];
  }
  if (const auto* given = std::get_if<GivenLabels>(&labels_)) {
    return given->labels[static_cast<size_t>(sample - first_sample_)];
  }
  if (const auto* drawn = std::get_if<DrawnLabels>(&labels_)) {
    return DrawIndex(drawn->cumulative, PhiloxStream(seed, static_cast<uint64_t>(sample), 0, Purpose::kLabel).Bits(0));
  }
  return -1;
}

void CohortPlan::Phenotypes(uint64_t seed, int64_t sample, std::span<double> values) const {
  const PhiloxStream random(seed, static_cast<uint64_t>(sample), 0, Purpose::kPhenotype);
  for (size_t i = 0; i < phenotypes_.size(); ++i) {
    const auto index = static_cast<uint32_t>(64 * i);
    values[i] = std::visit(
        [&](const auto& source) -> double {
          using Source = std::decay_t<decltype(source)>;
          if constexpr (std::is_same_v<Source, Fixed>) {
            return source.value;
          } else if constexpr (std::is_same_v<Source, Normal>) {
            const double value = source.mean + source.standard_deviation * ToNormal(random.Bits(index));
            return std::clamp(value, source.minimum, source.maximum);
          } else if constexpr (std::is_same_v<Source, Uniform>) {
            return source.low + (source.high - source.low) * ToUniform(random.Bits(index));
          } else if constexpr (std::is_same_v<Source, Levels>) {
            return source.levels[static_cast<size_t>(DrawIndex(source.cumulative, random.Bits(index)))];
          } else if constexpr (std::is_same_v<Source, Quantiles>) {
            return DrawFromQuantiles(source.quantiles, random.Bits(index));
          } else {
            return source.values[static_cast<size_t>(sample - first_sample_)];
          }
        },
        phenotypes_[i]);
  }
}

}  // namespace genoserve
