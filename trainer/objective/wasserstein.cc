#include "trainer/objective/wasserstein.h"

#include <torch/csrc/autograd/autograd.h>

namespace genoserve {

at::Tensor CriticLoss(const at::Tensor& real_scores, const at::Tensor& fake_scores) {
  return at::mean(fake_scores) - at::mean(real_scores);
}

at::Tensor GeneratorLoss(const at::Tensor& fake_scores) { return -at::mean(fake_scores); }

at::Tensor GradientPenalty(absl::FunctionRef<at::Tensor(const at::Tensor&)> critic, const at::Tensor& real,
                           const at::Tensor& fake, const at::Tensor& mix) {
  const at::Tensor between = at::lerp(fake, real, mix).detach().set_requires_grad(true);
  const at::Tensor scores = critic(between);
  const at::Tensor gradient = torch::autograd::grad({at::sum(scores)}, {between}, {}, true, true)[0];
  // The small addend keeps the root's own gradient finite where the critic is flat.
  const at::Tensor norms = at::sqrt(at::sum(gradient * gradient, 1) + 1e-12);
  return at::mean(at::square(norms - 1));
}

}  // namespace genoserve
