// Relaxed draws of genotypes and their gradients, in one pass over memory. Plain arrays: no LibTorch here.
#pragma once

#include <cstddef>

namespace genoserve {

/// Draws `variants` genotypes. All arrays are [3, variants]: relaxed <- softmax((logits + noise) / temperature) over
/// the three states, and where `rounded` is not null, rounded <- 1 at the first largest, else 0. noise is standard
/// Gumbel. Where `relaxed` is null, only the rounded ones are made.
void DrawStates(const float* logits, const float* noise, float temperature, size_t variants, float* relaxed,
                float* rounded);

/// The gradient by the logits from that by the draws: relaxed (g - sum over states of relaxed g) / temperature. In
/// place if `gradients` is `to`.
void DrawStatesGradient(const float* gradients, const float* relaxed, float temperature, size_t variants, float* to);

}  // namespace genoserve
