#include "trainer/objective/critic_loss.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

// The small addend of GradientPenalty.
constexpr double kEpsilon = 1e-12;

at::Tensor BackThroughRectifier(const at::Tensor& gradient, const at::Tensor& activations, double slope) {
  return at::leaky_relu_backward(gradient, activations, slope, /*self_is_result=*/true);
}

// What a layer took and what came back to its output. Rows are real, generated and mixed ones; once the scores were
// sent backward, the mixed rows of the input are replaced by those that are sent forward.
struct Layer {
  std::string name;
  at::Tensor input;
  at::Tensor delta;
};

// The activations of one block.
struct Block {
  at::Tensor with_condition;
  at::Tensor inner;
  at::Tensor sum;
  at::Tensor output;
};

class CriticPass {
 public:
  CriticPass(const v1::TrainingRecipe& recipe, double slope, const Parameters& critic, const at::Tensor& condition)
      : recipe_(recipe), slope_(slope), critic_(critic), rows_(condition.size(0)), width_(condition.size(1)) {
    condition_ = condition.repeat({3, 1});
  }

  // The loss; the gradients go to `gradients` in the order of the critic's items.
  at::Tensor Run(const at::Tensor& real, const at::Tensor& fake, const at::Tensor& mix,
                 std::vector<at::Tensor>& gradients) {
    const int64_t genotypes = real.size(1);
    at::Tensor inputs = at::empty({3 * rows_, genotypes + width_}, real.options());
    inputs.slice(0, 0, rows_).slice(1, 0, genotypes).copy_(real);
    inputs.slice(0, rows_, 2 * rows_).slice(1, 0, genotypes).copy_(fake);
    inputs.slice(0, 0, 2 * rows_).slice(1, genotypes).copy_(condition_.slice(0, 0, 2 * rows_));
    const at::Tensor scores = Forward(inputs, mix);
    const at::Tensor loss = at::mean(scores.slice(0, rows_, 2 * rows_)) - at::mean(scores.slice(0, 0, rows_));
    Backward(inputs);

    // Gradients of the mixed rows' scores by the rows; then those of the penalty by these.
    const at::Tensor weight = critic_["first.weight"].slice(1, 0, genotypes);
    at::Tensor mixed = Mixed(inputs);
    mixed.slice(1, genotypes).zero_();
    at::Tensor slopes = mixed.slice(1, 0, genotypes);
    at::mm_out(slopes, Mixed(layers_.back().delta), weight);
    const at::Tensor norms = at::sqrt(at::square(at::linalg_vector_norm(slopes, 2, 1, true)) + kEpsilon);
    const at::Tensor penalty = at::mean(at::square(norms - 1));
    slopes.mul_((norms - 1).div_(norms).mul_(2 * recipe_.gradient_penalty() / static_cast<double>(rows_)));
    SendForward(at::mm(slopes, weight.t()));
    CollectGradients(gradients);
    return loss + recipe_.gradient_penalty() * penalty;
  }

 private:
  at::Tensor Mixed(const at::Tensor& x) const { return x.slice(0, 2 * rows_); }
  at::Tensor Rectified(at::Tensor linear) const { return at::leaky_relu_(linear, slope_); }
  const at::Tensor& Weight(const std::string& name) const { return critic_[name + ".weight"]; }

  at::Tensor Forward(const at::Tensor& inputs, const at::Tensor& mix) {
    const at::Tensor both = critic_.Linear("first", inputs.slice(0, 0, 2 * rows_));
    const at::Tensor between = at::lerp(both.slice(0, rows_), both.slice(0, 0, rows_), mix);
    first_ = Rectified(at::cat({both, between}));
    at::Tensor x = first_;
    for (int i = 0; i + 1 < recipe_.critic_hidden_sizes_size(); ++i) {
      const std::string name = absl::StrCat("block.", i);
      Block block;
      block.with_condition = at::cat({x, condition_}, 1);
      block.inner = Rectified(critic_.Linear(name + ".residual1", block.with_condition));
      block.sum = Rectified(critic_.Linear(name + ".residual2", block.inner).add_(block.with_condition));
      block.output = Rectified(critic_.Linear(name + ".out", block.sum));
      x = block.output;
      blocks_.push_back(std::move(block));
    }
    last_ = x;
    return critic_.Linear("score", x);
  }

  // From the scores: -1 / rows for real rows, 1 / rows for generated ones, and 1 for mixed ones.
  void Backward(const at::Tensor& inputs) {
    at::Tensor delta = at::ones({3 * rows_, 1}, inputs.options());
    delta.slice(0, 0, rows_).fill_(-1.0 / static_cast<double>(rows_));
    delta.slice(0, rows_, 2 * rows_).fill_(1.0 / static_cast<double>(rows_));
    layers_.push_back({"score", last_, delta});
    at::Tensor back = at::mm(delta, Weight("score"));
    for (size_t i = blocks_.size(); i-- > 0;) {
      const std::string name = absl::StrCat("block.", i);
      const Block& block = blocks_[i];
      const at::Tensor output = BackThroughRectifier(back, block.output, slope_);
      layers_.push_back({name + ".out", block.sum, output});
      const at::Tensor sum = BackThroughRectifier(at::mm(output, Weight(name + ".out")), block.sum, slope_);
      layers_.push_back({name + ".residual2", block.inner, sum});
      const at::Tensor inner = BackThroughRectifier(at::mm(sum, Weight(name + ".residual2")), block.inner, slope_);
      layers_.push_back({name + ".residual1", block.with_condition, inner});
      back = at::addmm(sum, inner, Weight(name + ".residual1"));
      back = back.slice(1, 0, back.size(1) - width_);
    }
    layers_.push_back({"first", inputs, BackThroughRectifier(back, first_, slope_)});
  }

  // Sends `first`, at the output of the first layer, forward through the slopes of the mixed rows. What reaches a layer
  // takes the place of its mixed rows once their slopes are used.
  void SendForward(const at::Tensor& first) {
    const auto pass = [this](const at::Tensor& linear, const at::Tensor& activations) {
      Mixed(activations).copy_(BackThroughRectifier(linear, Mixed(activations), slope_));
    };
    pass(first, first_);
    at::Tensor x = Mixed(first_);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const std::string name = absl::StrCat("block.", i);
      const Block& block = blocks_[i];
      at::Tensor with_condition = Mixed(block.with_condition);
      with_condition.slice(1, 0, x.size(1)).copy_(x);
      with_condition.slice(1, x.size(1)).zero_();
      pass(at::mm(with_condition, Weight(name + ".residual1").t()), block.inner);
      pass(at::addmm(with_condition, Mixed(block.inner), Weight(name + ".residual2").t()), block.sum);
      pass(at::mm(Mixed(block.sum), Weight(name + ".out").t()), block.output);
      x = Mixed(block.output);
    }
  }

  // Biases do not reach the penalty.
  void CollectGradients(std::vector<at::Tensor>& gradients) const {
    Parameters by_name;
    for (const Layer& layer : layers_) {
      by_name.Share(layer.name + ".weight", at::mm(layer.delta.t(), layer.input));
      by_name.Share(layer.name + ".bias", at::sum(layer.delta.slice(0, 0, 2 * rows_), 0));
    }
    for (const auto& [name, tensor] : critic_.items()) gradients.push_back(by_name[name]);
  }

  const v1::TrainingRecipe& recipe_;
  const double slope_;
  const Parameters& critic_;
  const int64_t rows_;
  const int64_t width_;  // of the condition
  at::Tensor condition_;
  at::Tensor first_;
  std::vector<Block> blocks_;
  at::Tensor last_;
  std::vector<Layer> layers_;  // from the last one on
};

// Hands gradients that are known to autograd.
struct KnownGradients : public torch::autograd::Function<KnownGradients> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& value,
                            const std::vector<at::Tensor>& gradients, at::TensorList /*parameters*/) {
    context->saved_data["gradients"] = gradients;
    return value.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outer) {
    const double factor = outer[0].item<double>();
    torch::autograd::variable_list gradients = {at::Tensor(), at::Tensor()};
    for (const at::Tensor& gradient : context->saved_data["gradients"].toTensorVector()) {
      gradients.push_back(factor == 1 ? gradient : gradient * factor);
    }
    return gradients;
  }
};

}  // namespace

at::Tensor CriticLossWithPenalty(const v1::TrainingRecipe& recipe, double slope, const Parameters& critic,
                                 const at::Tensor& real, const at::Tensor& fake, const at::Tensor& condition,
                                 const at::Tensor& mix) {
  std::vector<at::Tensor> gradients;
  at::Tensor loss;
  {
    const c10::NoGradGuard no_grad;
    loss = CriticPass(recipe, slope, critic, condition).Run(real, fake, mix, gradients);
  }
  const std::vector<at::Tensor> parameters = critic.tensors();
  return KnownGradients::apply(loss, gradients, at::TensorList(parameters));
}

}  // namespace genoserve
