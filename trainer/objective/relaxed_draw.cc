#include "trainer/objective/relaxed_draw.h"

#include <torch/csrc/autograd/custom_function.h>

#include "trainer/objective/draw_kernels.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The draw on a CPU, with the gradient of the relaxed one.
struct CpuGumbelSoftmax : public torch::autograd::Function<CpuGumbelSoftmax> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& logits, const at::Tensor& gumbel,
                            double temperature, bool straight_through) {
    const at::Tensor dense = logits.contiguous();
    const at::Tensor noise = gumbel.contiguous();
    // Without a gradient to come, rounded draws need no relaxed ones.
    const bool relax = !straight_through || logits.requires_grad();
    const at::Tensor relaxed = relax ? at::empty_like(dense) : at::Tensor();
    const at::Tensor rounded = straight_through ? at::empty_like(dense) : at::Tensor();
    const float* logit_values = dense.const_data_ptr<float>();
    const float* noise_values = noise.const_data_ptr<float>();
    float* relaxed_values = relax ? relaxed.mutable_data_ptr<float>() : nullptr;
    float* rounded_values = straight_through ? rounded.mutable_data_ptr<float>() : nullptr;
    const int64_t row = 3 * dense.size(2);
    OnTorchThreads(dense.size(0), 1 + kThreadGrain / row, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        DrawStates(logit_values + i * row, noise_values + i * row, static_cast<float>(temperature),
                   static_cast<size_t>(dense.size(2)), relax ? relaxed_values + i * row : nullptr,
                   straight_through ? rounded_values + i * row : nullptr);
      }
    });
    if (relax) context->saved_data["relaxed"] = relaxed.detach();
    context->saved_data["temperature"] = temperature;
    return straight_through ? rounded : relaxed;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outer) {
    const at::Tensor relaxed = context->saved_data["relaxed"].toTensor();
    const auto temperature = static_cast<float>(context->saved_data["temperature"].toDouble());
    const at::Tensor gradients = outer[0].contiguous();
    at::Tensor by_logits = at::empty_like(relaxed);
    const float* from = gradients.const_data_ptr<float>();
    const float* relaxed_values = relaxed.const_data_ptr<float>();
    float* to = by_logits.mutable_data_ptr<float>();
    const int64_t row = 3 * relaxed.size(2);
    OnTorchThreads(relaxed.size(0), 1 + kThreadGrain / row, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        DrawStatesGradient(from + i * row, relaxed_values + i * row, temperature, static_cast<size_t>(relaxed.size(2)),
                           to + i * row);
      }
    });
    return {by_logits, {}, {}, {}};
  }
};

}  // namespace

at::Tensor RelaxedBernoulli(const at::Tensor& logits, const at::Tensor& logistic, double temperature,
                            bool straight_through) {
  at::Tensor relaxed = at::sigmoid((logits + logistic) / temperature);
  if (!straight_through) return relaxed;
  const at::Tensor fixed = relaxed.detach();
  return relaxed + (at::gt(fixed, 0.5).to(at::kFloat) - fixed);
}

at::Tensor GumbelSoftmax(const at::Tensor& logits, const at::Tensor& gumbel, double temperature,
                         bool straight_through) {
  if (logits.is_cpu()) return CpuGumbelSoftmax::apply(logits, gumbel, temperature, straight_through);
  at::Tensor relaxed = at::softmax((logits + gumbel) / temperature, 1);
  if (!straight_through) return relaxed;
  const at::Tensor fixed = relaxed.detach();
  const at::Tensor one_hot = at::zeros_like(fixed).scatter_(1, at::argmax(fixed, 1, true), 1.0);
  return relaxed + (one_hot - fixed);
}

}  // namespace genoserve
