#include "trainer/objective/relaxed_draw.h"

namespace genoserve {

at::Tensor RelaxedBernoulli(const at::Tensor& logits, const at::Tensor& logistic, double temperature,
                            bool straight_through) {
  at::Tensor relaxed = at::sigmoid((logits + logistic) / temperature);
  if (!straight_through) return relaxed;
  const at::Tensor fixed = relaxed.detach();
  return relaxed + (at::gt(fixed, 0.5).to(at::kFloat) - fixed);
}

at::Tensor GumbelSoftmax(const at::Tensor& logits, const at::Tensor& gumbel, double temperature,
                         bool straight_through) {
  at::Tensor relaxed = at::softmax((logits + gumbel) / temperature, 1);
  if (!straight_through) return relaxed;
  const at::Tensor fixed = relaxed.detach();
  const at::Tensor one_hot = at::zeros_like(fixed).scatter_(1, at::argmax(fixed, 1, true), 1.0);
  return relaxed + (one_hot - fixed);
}

}  // namespace genoserve
