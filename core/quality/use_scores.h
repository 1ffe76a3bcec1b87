// How well numbers are predicted, over any resample of the predicted samples.
#pragma once

#include <cstdint>
#include <span>

namespace genoserve {

/// Pearson's r over the pairs with these indices; NaN where one side does not vary.
double CorrelationOf(std::span<const double> x, std::span<const double> y, std::span<const uint32_t> indices);

/// 1 - sum (truth - predicted)^2 / sum (truth - mean truth)^2 over these indices: 0 for one who predicts the mean,
/// below 0 for one who does worse. NaN where the truth does not vary.
double DeterminationOf(std::span<const double> truth, std::span<const double> predicted,
                       std::span<const uint32_t> indices);

/// The chance that a sample of the level scores higher than one of another level (Mann and Whitney 1947), ties half.
/// NaN where one of the two is lacking.
double AucOf(std::span<const uint8_t> of_level, std::span<const double> scores, std::span<const uint32_t> indices);

}  // namespace genoserve
