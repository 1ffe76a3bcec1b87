#include "trainer/objective/polyloss.h"

namespace genoserve {

at::Tensor PolyLoss(const at::Tensor& logits, const at::Tensor& classes, double epsilon, double alpha) {
  const int64_t count = logits.size(1);
  at::Tensor targets = at::full_like(logits, alpha / static_cast<double>(count)).detach();
  targets.scatter_add_(1, classes.unsqueeze(1), at::full({logits.size(0), 1}, 1 - alpha, logits.options()));
  const at::Tensor log_p = at::log_softmax(logits, 1);
  const at::Tensor twice = at::softmax(at::exp(log_p), 1);
  return at::mean(at::sum(targets * (epsilon * (1 - twice) - log_p), 1));
}

}  // namespace genoserve
