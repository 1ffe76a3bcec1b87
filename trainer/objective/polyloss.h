// The polyloss cross-entropy, the loss on an AC-GAN's class output.
#pragma once

#include <ATen/ATen.h>

namespace genoserve {

/// Mean over rows of -sum y~ log p + epsilon * sum y~ (1 - softmax(p)), p = softmax(logits), y~ = (1 - alpha) y +
/// alpha / classes, as Genome-AC-GAN's code computes it: Leng et al. 2022's Poly-1 (equation 5), but with softmax
/// taken again in its second term. `logits` is [rows, classes], `classes` [rows] indices.
at::Tensor PolyLoss(const at::Tensor& logits, const at::Tensor& classes, double epsilon, double alpha);

}  // namespace genoserve
