// What a step does to each weight, in one pass over memory. Plain arrays: no LibTorch here.
#pragma once

#include <cstddef>

namespace genoserve {

/// A stretch of the weights of a network with what belongs to them; all arrays have `count` values and none overlap.
struct WeightSpan {
  float* weights;
  const float* gradients;
  float* squares;  ///< average of the squared gradients
  float* means;    ///< average of the gradients; adam only
  size_t count;
};

/// With g = gradient_factor * gradient: v <- decay v + (1 - decay) g^2, w <- w - rate g / sqrt(v + epsilon).
struct RmsPropUpdate {
  float gradient_factor;
  float rate;
  float decay;
  float epsilon;
};
void Update(const RmsPropUpdate& update, const WeightSpan& span);

/// With g = gradient_factor * gradient: m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
/// w <- keep w - rate m / (scale sqrt(v) + epsilon).
struct AdamUpdate {
  float gradient_factor;
  float rate;
  float beta1;
  float beta2;
  float scale;
  float epsilon;
  float keep;
};
void Update(const AdamUpdate& update, const WeightSpan& span);

/// The sum of the squares of `count` values, at most some thousands of which should be given at once: it is added up
/// in single precision.
float SumOfSquares(const float* values, size_t count);

/// sums <- sums + factor * values, and returns SumOfSquares(values, count), in one pass
/// over memory where `count` values fit the cache.
float AddScaled(const float* values, float factor, size_t count, float* sums);

}  // namespace genoserve
