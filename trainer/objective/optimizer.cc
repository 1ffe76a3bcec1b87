#include "trainer/objective/optimizer.h"

#include <c10/core/GradMode.h>

#include <cmath>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

class RmsProp final : public Optimizer {
 public:
  RmsProp(double rate, const Parameters& parameters) : rate_(rate) {
    for (const auto& [name, tensor] : parameters.items()) {
      squares_.emplace_back(name + ".square", at::zeros_like(tensor.detach()));
    }
  }

  void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients) override {
    const c10::NoGradGuard no_grad;
    for (size_t i = 0; i < gradients.size(); ++i) {
      at::Tensor square = squares_[i].second;
      square.mul_(0.9).addcmul_(gradients[i], gradients[i], 0.1);
      at::Tensor weight = parameters.items()[i].second;
      weight.addcdiv_(gradients[i], at::add(square, 1e-7).sqrt_(), -rate_);
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> State() const override { return squares_; }

 private:
  double rate_;
  std::vector<std::pair<std::string, at::Tensor>> squares_;
};

class Adam final : public Optimizer {
 public:
  Adam(double rate, double beta1, double beta2, const Parameters& parameters)
      : rate_(rate), beta1_(beta1), beta2_(beta2), steps_(at::zeros({1}, at::kFloat)) {
    for (const auto& [name, tensor] : parameters.items()) {
      means_.emplace_back(name + ".mean", at::zeros_like(tensor.detach()));
      squares_.emplace_back(name + ".square", at::zeros_like(tensor.detach()));
    }
  }

  void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients) override {
    const c10::NoGradGuard no_grad;
    steps_.add_(1);
    const auto steps = static_cast<double>(*steps_.const_data_ptr<float>());
    const double rate = rate_ / (1 - std::pow(beta1_, steps));
    const double scale = 1 / std::sqrt(1 - std::pow(beta2_, steps));
    for (size_t i = 0; i < gradients.size(); ++i) {
      at::Tensor mean = means_[i].second;
      at::Tensor square = squares_[i].second;
      mean.lerp_(gradients[i], 1 - beta1_);
      square.mul_(beta2_).addcmul_(gradients[i], gradients[i], 1 - beta2_);
      at::Tensor weight = parameters.items()[i].second;
      weight.addcdiv_(mean, at::sqrt(square).mul_(scale).add_(1e-8), -rate);
    }
  }

  std::vector<std::pair<std::string, at::Tensor>> State() const override {
    std::vector<std::pair<std::string, at::Tensor>> state = means_;
    state.insert(state.end(), squares_.begin(), squares_.end());
    state.emplace_back("steps", steps_);
    return state;
  }

 private:
  double rate_;
  double beta1_;
  double beta2_;
  at::Tensor steps_;  // [1], on the CPU
  std::vector<std::pair<std::string, at::Tensor>> means_;
  std::vector<std::pair<std::string, at::Tensor>> squares_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::TrainingRecipe& recipe, double learning_rate,
                                                         const Parameters& parameters) {
  if (recipe.optimizer() == "rmsprop") return std::make_unique<RmsProp>(learning_rate, parameters);
  if (recipe.optimizer() == "adam") {
    return std::make_unique<Adam>(learning_rate, recipe.adam_beta1(), recipe.adam_beta2(), parameters);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("optimizer is \"", recipe.optimizer(), "\"; it must be rmsprop or adam"));
}

}  // namespace genoserve
