// Clipping of gradients by their global norm.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace genoserve {

/// What the gradients of a network must be multiplied by so that the L2 norm of all of them together is at most `most`
/// (Pascanu et al. 2013, algorithm 1): min(1, most / norm), and 1 where `most` is 0, which means no limit. NaN where
/// the norm is not finite, so that a divergence is not hidden. The same to the bit with any number of threads.
double ClipFactor(const std::vector<at::Tensor>& gradients, double most);

}  // namespace genoserve
