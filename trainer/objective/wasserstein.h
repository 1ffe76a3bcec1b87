// The Wasserstein losses and the gradient penalty of WGAN-GP.
#pragma once

#include <ATen/ATen.h>

#include "absl/functional/function_ref.h"

namespace genoserve {

/// mean f(fake) - mean f(real), which the critic f makes small (Gulrajani et al. 2017, algorithm 1, without penalty).
at::Tensor CriticLoss(const at::Tensor& real_scores, const at::Tensor& fake_scores);

/// -mean f(fake), which the generator makes small.
at::Tensor GeneratorLoss(const at::Tensor& fake_scores);

/// Mean over rows of (|grad f(x)| - 1)^2 at x = a real + (1 - a) fake (Gulrajani et al. 2017, equation 3). `real` and
/// `fake` are [rows, inputs] without gradients, `mix` is a [rows, 1]. The result can be differentiated by the critic's
/// weights.
at::Tensor GradientPenalty(absl::FunctionRef<at::Tensor(const at::Tensor&)> critic, const at::Tensor& real,
                           const at::Tensor& fake, const at::Tensor& mix);

}  // namespace genoserve
