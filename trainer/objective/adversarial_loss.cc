#include "trainer/objective/adversarial_loss.h"

namespace genoserve {

at::Tensor BinaryCrossEntropy(const at::Tensor& logits, const at::Tensor& targets) {
  // -(t log p + (1 - t) log(1 - p)) = softplus(x) - t x.
  return at::mean(at::softplus(logits) - targets * logits);
}

}  // namespace genoserve
