// The weight decay of acgan's losses.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "trainer/objective/parameters.h"

namespace genoserve {

/// Adds the gradient of decay * (sum of w^2 over the kernels hidden.<i>.weight) to `gradients`, which belong to the
/// parameters in their order and are changed in place, and returns the penalty's value. One pass over memory; the value
/// does not depend on the number of threads.
double AddHiddenPenalty(const Parameters& parameters, double decay, const std::vector<at::Tensor>& gradients);

}  // namespace genoserve
