#include "trainer/objective/allele_layer.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "trainer/objective/products.h"
#include "trainer/objective/relaxed_draw.h"
#include "trainer/objective/row_values.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct CpuAlleles : public torch::autograd::Function<CpuAlleles> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& weight,
                            const at::Tensor& base, const at::Tensor& labels, const RowDraw& noise,
                            const AlleleDraw& draw) {
    at::Tensor alleles = Multiply(hidden, weight.to(hidden.scalar_type()).t());
    const bool differentiated = hidden.requires_grad();
    const at::Tensor slopes = differentiated ? at::empty_like(alleles) : at::Tensor();
    const int64_t rows = alleles.size(0);
    const int64_t width = alleles.size(1);
    const int64_t* label = labels.const_data_ptr<int64_t>();
    const float* bases = base.const_data_ptr<float>();
    const RowValues values(alleles);
    const RowValues slope_values(differentiated ? slopes : alleles);
    OnTorchThreads(rows, 1 + kThreadGrain / width, [&](int64_t first, int64_t last) {
      Stretch value_buffer;
      Stretch slope_buffer;
      Stretch noise_buffer;
      for (int64_t row = first; row < last; ++row) {
        for (int64_t column = 0; column < width; column += kStretch) {
          const auto count = static_cast<size_t>(std::min(kStretch, width - column));
          noise.Fill(row, width, column, {noise_buffer.data(), count});
          float* drawn = values.Read(row, column, count, value_buffer);
          float* slope = differentiated ? slope_values.Place(row, column, slope_buffer) : nullptr;
          DrawAlleles(bases + label[row] * width + column, noise_buffer.data(), static_cast<float>(draw.temperature),
                      draw.straight_through, count, drawn, slope);
          values.Write(row, column, count, drawn);
          if (differentiated) slope_values.Write(row, column, count, slope);
        }
      }
    });
    context->save_for_backward({hidden, weight, labels});
    if (differentiated) context->saved_data["slopes"] = slopes;
    context->saved_data["bases"] = base.size(0);
    return alleles;
  }

  static variable_list backward(AutogradContext* context, const variable_list& outer) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& hidden = saved[0];
    const at::Tensor& weight = saved[1];
    const at::Tensor slopes = context->saved_data["slopes"].toTensor();
    const at::Tensor gradient = outer[0].contiguous();
    const at::Tensor delta = at::empty_like(slopes);
    const int64_t rows = delta.size(0);
    const int64_t width = delta.size(1);
    const int64_t* label = saved[2].const_data_ptr<int64_t>();
    const at::Tensor sums = at::zeros({context->saved_data["bases"].toInt(), width}, weight.options());
    float* totals = sums.mutable_data_ptr<float>();
    const RowValues from(gradient);
    const RowValues slope_values(slopes);
    const RowValues to(delta);
    // Columns, so that each sum is added up by one thread in the order of the rows.
    OnTorchThreads((width + kStretch - 1) / kStretch, 1, [&](int64_t first, int64_t last) {
      Stretch gradients;
      Stretch buffer;
      for (int64_t column = first * kStretch; column < std::min(width, last * kStretch); column += kStretch) {
        const auto count = static_cast<size_t>(std::min(kStretch, width - column));
        for (int64_t row = 0; row < rows; ++row) {
          const float* g = from.Read(row, column, count, gradients);
          const float* slope = slope_values.Read(row, column, count, buffer);
          float* result = to.Place(row, column, gradients);
          AllelesGradient(g, slope, count, result, totals + label[row] * width + column);
          to.Write(row, column, count, result);
        }
      }
    });
    variable_list by_input(6);
    if (context->needs_input_grad(0)) by_input[0] = Multiply(delta, weight.to(hidden.scalar_type()));
    if (context->needs_input_grad(1)) by_input[1] = Multiply(delta.t(), hidden).to(at::kFloat);
    by_input[2] = sums;
    return by_input;
  }
};

}  // namespace

at::Tensor DrawAlleles(const Parameters& generator, const at::Tensor& hidden, const at::Tensor& labels,
                       const RowDraw& noise, const AlleleDraw& draw) {
  const at::Tensor& weight = generator["output.weight"];
  const bool labelled = generator.contains("label_logits");
  const at::Tensor bias = generator["output.bias"].unsqueeze(0);
  const at::Tensor base = labelled ? generator["label_logits"] + bias : bias;
  const at::Tensor bases = labelled ? labels : at::zeros_like(labels);
  if (hidden.is_cpu()) return CpuAlleles::apply(hidden, weight, base, bases, noise, draw);
  const auto type = hidden.scalar_type();
  const at::Tensor logits = at::mm(hidden, weight.to(type).t()) + base.index_select(0, bases);
  return RelaxedBernoulli(logits, noise.Whole(weight.size(0)), draw.temperature, draw.straight_through).to(type);
}

}  // namespace genoserve
