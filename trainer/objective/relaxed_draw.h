// Draws of alleles and genotypes that gradients can pass.
#pragma once

#include <ATen/ATen.h>

namespace genoserve {

/// The relaxed Bernoulli draw sigmoid((logit + logistic) / temperature) (Maddison et al. 2017, section 3 and appendix
/// B; Jang et al. 2017). With `straight_through` the value is rounded to 0 or 1 and the gradient is that of the relaxed
/// one. All tensors have one shape.
at::Tensor RelaxedBernoulli(const at::Tensor& logits, const at::Tensor& logistic, double temperature,
                            bool straight_through);

/// The Gumbel-Softmax draw softmax((logits + gumbel) / temperature) over the states (Jang et al. 2017, equation 2).
/// With `straight_through` the value is the one-hot of its maximum. `logits` and `gumbel` are [rows, 3, variants].
at::Tensor GumbelSoftmax(const at::Tensor& logits, const at::Tensor& gumbel, double temperature, bool straight_through);

}  // namespace genoserve
