#include "trainer/objective/dense_layer.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/objective/products.h"
#include "trainer/objective/row_values.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Values below which a thread is not worth waking.
constexpr int64_t kGrain = 131072;

// Calls work(row, column, count) for all stretches of [rows, width], with the rows of a column in order on one thread.
template <class Work>
void ForStretches(int64_t rows, int64_t width, const Work& work) {
  OnTorchThreads(width, 1 + kGrain / std::max<int64_t>(1, rows), [&](int64_t first, int64_t last) {
    for (int64_t column = first; column < last; column += kStretch) {
      const auto count = static_cast<size_t>(std::min(kStretch, last - column));
      for (int64_t row = 0; row < rows; ++row) work(row, column, count);
    }
  });
}

struct CpuLayer : public torch::autograd::Function<CpuLayer> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, double slope) {
    at::Tensor y = Multiply(x, weight.to(x.scalar_type()).t());
    const RowValues values(y);
    const float* biases = bias.const_data_ptr<float>();
    ForStretches(y.size(0), y.size(1), [&](int64_t row, int64_t column, size_t count) {
      Stretch buffer;
      float* stretch = values.Read(row, column, count, buffer);
      AddBiasAndRectify(biases + column, static_cast<float>(slope), count, stretch);
      values.Write(row, column, count, stretch);
    });
    context->save_for_backward({x, weight, y});
    context->saved_data["slope"] = slope;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outer) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor& y = saved[2];
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    const at::Tensor gradient = outer[0].contiguous();
    const at::Tensor delta = at::empty_like(gradient);
    const at::Tensor sums = at::zeros({y.size(1)}, weight.options());
    const RowValues from(gradient);
    const RowValues rectified(y);
    const RowValues to(delta);
    float* totals = sums.mutable_data_ptr<float>();
    ForStretches(y.size(0), y.size(1), [&](int64_t row, int64_t column, size_t count) {
      Stretch gradients;
      Stretch activations;
      const float* g = from.Read(row, column, count, gradients);
      const float* a = rectified.Read(row, column, count, activations);
      float* result = to.Place(row, column, gradients);
      RectifyGradient(g, a, slope, count, result, totals + column);
      to.Write(row, column, count, result);
    });
    variable_list gradients(4);
    if (context->needs_input_grad(0)) gradients[0] = Multiply(delta, weight.to(x.scalar_type()));
    if (context->needs_input_grad(1)) gradients[1] = Multiply(delta.t(), x).to(at::kFloat);
    gradients[2] = sums;
    return gradients;
  }
};

}  // namespace

at::Tensor DenseLayer(const Parameters& parameters, const std::string& name, const at::Tensor& x, double slope) {
  const at::Tensor& weight = parameters[name + ".weight"];
  const at::Tensor& bias = parameters[name + ".bias"];
  if (x.is_cpu()) return CpuLayer::apply(x, weight, bias, slope);
  const auto type = x.scalar_type();
  const at::Tensor y = at::addmm(bias.to(type), x, weight.to(type).t());
  return slope == 1 ? y : at::leaky_relu(y, slope);
}

}  // namespace genoserve
