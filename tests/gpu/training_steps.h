// The training step of an acgan, run as it is and captured.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace genoserve {

struct TrainingFigures {
  double eager_steps_per_second = 0;
  double captured_steps_per_second = 0;
  double largest_difference = 0;  ///< of a weight after the first steps, eager and captured
  double largest_change = 0;      ///< of a weight by these steps
};

/// Trains the small acgan of the preset (hidden 256 and 256, critic 256 and 128, batch 256, Adam) on random rows, one
/// step of critic and generator each, from equal weights both ways: a few steps whose effects are compared, then
/// `steps` that are timed.
TrainingFigures MeasureTraining(at::Device device, int64_t variants, int steps);

}  // namespace genoserve
