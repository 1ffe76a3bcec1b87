// Binary cross-entropy with soft targets, the loss on an AC-GAN's validity output.
#pragma once

#include <ATen/ATen.h>

namespace genoserve {

/// Mean over rows of -(t log p + (1 - t) log(1 - p)), p = sigmoid(logit) (Goodfellow et al. 2014, equation 1; targets
/// between 0 and 1 as in Salimans et al. 2016, section 3.4). `logits` and `targets` are [rows].
at::Tensor BinaryCrossEntropy(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace genoserve
