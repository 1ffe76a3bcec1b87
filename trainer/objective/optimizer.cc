#include "trainer/objective/optimizer.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "trainer/objective/fused_update.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

constexpr float kRmsPropDecay = 0.9F;
constexpr double kRmsPropEpsilon = 1e-7;
constexpr double kAdamEpsilon = 1e-8;
// Weights that a thread takes at once.
constexpr int64_t kBlock = 16384;

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// A piece of one tensor.
struct Block {
  size_t tensor;
  int64_t first;
  int64_t count;
};

std::vector<Block> CutIntoBlocks(const Parameters& parameters) {
  std::vector<Block> blocks;
  for (size_t i = 0; i < parameters.items().size(); ++i) {
    const int64_t size = parameters.items()[i].second.numel();
    for (int64_t first = 0; first < size; first += kBlock) {
      blocks.push_back({i, first, std::min(kBlock, size - first)});
    }
  }
  return blocks;
}

NamedTensors ZerosLike(const Parameters& parameters, const char* suffix) {
  NamedTensors zeros;
  for (const auto& [name, tensor] : parameters.items()) {
    zeros.emplace_back(name + suffix, at::zeros_like(tensor.detach(), at::MemoryFormat::Contiguous));
  }
  return zeros;
}

bool OnCpu(const Parameters& parameters) {
  return std::all_of(parameters.items().begin(), parameters.items().end(),
                     [](const auto& item) { return item.second.is_cpu(); });
}

// Updates all weights on the CPU. `means` is empty for an optimiser that has none.
template <class UpdateRule>
void UpdateAll(const UpdateRule& rule, const std::vector<Block>& blocks, const Parameters& parameters,
               const std::vector<at::Tensor>& gradients, const NamedTensors& squares, const NamedTensors& means) {
  std::vector<WeightSpan> whole;
  std::vector<at::Tensor> dense;  // keeps a gradient alive that had to be laid out anew
  whole.reserve(gradients.size());
  dense.reserve(gradients.size());
  for (size_t i = 0; i < gradients.size(); ++i) {
    const at::Tensor& weight = parameters.items()[i].second;
    TORCH_CHECK(weight.is_contiguous(), "the weights ", parameters.items()[i].first, " are not contiguous");
    dense.push_back(gradients[i].contiguous());
    whole.push_back({weight.mutable_data_ptr<float>(), dense[i].const_data_ptr<float>(),
                     squares[i].second.mutable_data_ptr<float>(),
                     means.empty() ? nullptr : means[i].second.mutable_data_ptr<float>(), 0});
  }
  // Small networks are one thread's work.
  const auto count = static_cast<int64_t>(blocks.size());
  int64_t weights = 0;
  for (const Block& block : blocks) weights += block.count;
  OnTorchThreads(count, 1 + count * kBlock / std::max<int64_t>(1, weights), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const Block& block = blocks[static_cast<size_t>(i)];
      WeightSpan span = whole[block.tensor];
      span.weights += block.first;
      span.gradients += block.first;
      span.squares += block.first;
      if (span.means != nullptr) span.means += block.first;
      span.count = static_cast<size_t>(block.count);
      Update(rule, span);
    }
  });
}

class RmsProp final : public Optimizer {
 public:
  RmsProp(double rate, const Parameters& parameters)
      : rate_(rate),
        on_cpu_(OnCpu(parameters)),
        blocks_(CutIntoBlocks(parameters)),
        squares_(ZerosLike(parameters, ".square")) {}

  void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients,
            const StepFactors& factors) override {
    const c10::NoGradGuard no_grad;
    const double rate = rate_ * factors.rate;
    if (on_cpu_) {
      const RmsPropUpdate rule = {static_cast<float>(factors.gradient), static_cast<float>(rate), kRmsPropDecay,
                                  static_cast<float>(kRmsPropEpsilon)};
      return UpdateAll(rule, blocks_, parameters, gradients, squares_, {});
    }
    for (size_t i = 0; i < gradients.size(); ++i) {
      const at::Tensor g = gradients[i] * factors.gradient;
      at::Tensor square = squares_[i].second;
      square.mul_(kRmsPropDecay).addcmul_(g, g, 1.0 - kRmsPropDecay);
      at::Tensor(parameters.items()[i].second).addcdiv_(g, at::add(square, kRmsPropEpsilon).sqrt_(), -rate);
    }
  }

  NamedTensors State() const override { return squares_; }

 private:
  double rate_;
  bool on_cpu_;
  std::vector<Block> blocks_;
  NamedTensors squares_;
};

// Adam, and AdamW where `weight_decay` is not 0.
class Adam final : public Optimizer {
 public:
  Adam(double rate, double beta1, double beta2, double weight_decay, const Parameters& parameters)
      : rate_(rate),
        beta1_(beta1),
        beta2_(beta2),
        weight_decay_(weight_decay),
        on_cpu_(OnCpu(parameters)),
        blocks_(CutIntoBlocks(parameters)),
        steps_(at::zeros({1}, at::kFloat)),
        means_(ZerosLike(parameters, ".mean")),
        squares_(ZerosLike(parameters, ".square")) {}

  void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients,
            const StepFactors& factors) override {
    const c10::NoGradGuard no_grad;
    steps_.add_(1);
    const auto steps = static_cast<double>(*steps_.const_data_ptr<float>());
    const double rate = rate_ * factors.rate / (1 - std::pow(beta1_, steps));
    const double scale = 1 / std::sqrt(1 - std::pow(beta2_, steps));
    const double keep = 1 - rate_ * factors.rate * weight_decay_;
    if (on_cpu_) {
      const AdamUpdate rule = {static_cast<float>(factors.gradient),
                               static_cast<float>(rate),
                               static_cast<float>(beta1_),
                               static_cast<float>(beta2_),
                               static_cast<float>(scale),
                               static_cast<float>(kAdamEpsilon),
                               static_cast<float>(keep)};
      return UpdateAll(rule, blocks_, parameters, gradients, squares_, means_);
    }
    for (size_t i = 0; i < gradients.size(); ++i) {
      const at::Tensor g = gradients[i] * factors.gradient;
      at::Tensor mean = means_[i].second;
      at::Tensor square = squares_[i].second;
      mean.lerp_(g, 1 - beta1_);
      square.mul_(beta2_).addcmul_(g, g, 1 - beta2_);
      at::Tensor weight = parameters.items()[i].second;
      weight.mul_(keep).addcdiv_(mean, at::sqrt(square).mul_(scale).add_(kAdamEpsilon), -rate);
    }
  }

  NamedTensors State() const override {
    NamedTensors state = means_;
    state.insert(state.end(), squares_.begin(), squares_.end());
    state.emplace_back("steps", steps_);
    return state;
  }

 private:
  double rate_;
  double beta1_;
  double beta2_;
  double weight_decay_;
  bool on_cpu_;
  std::vector<Block> blocks_;
  at::Tensor steps_;  // [1], on the CPU
  NamedTensors means_;
  NamedTensors squares_;
};

}  // namespace

absl::Status CheckOptimizer(const v1::TrainingRecipe& recipe) {
  for (const char* name : {"rmsprop", "adam", "adamw"}) {
    if (recipe.optimizer() == name) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("setting optimizer is \"", recipe.optimizer(), "\"; it must be rmsprop, adam or adamw"));
}

absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::TrainingRecipe& recipe, double learning_rate,
                                                         const Parameters& parameters) {
  GENOSERVE_RETURN_IF_ERROR(CheckOptimizer(recipe));
  if (recipe.optimizer() == "rmsprop") return std::make_unique<RmsProp>(learning_rate, parameters);
  const double decay = recipe.optimizer() == "adamw" ? recipe.weight_decay() : 0.0;
  return std::make_unique<Adam>(learning_rate, recipe.adam_beta1(), recipe.adam_beta2(), decay, parameters);
}

}  // namespace genoserve
