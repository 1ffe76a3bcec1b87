// Activations of a network's layers.
#pragma once

#include <span>

namespace genoserve {

/// values[i] *= slope where values[i] < 0.
void LeakyRelu(std::span<float> values, float slope);

}  // namespace genoserve
