#include "tests/gpu/training_steps.h"

#include <ATen/Context.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "core/gpu/device_draw.h"
#include "core/gpu/graphed_step.h"

namespace genoserve {
namespace {

constexpr int64_t kBatch = 256;
constexpr int64_t kLatent = 128;
constexpr int64_t kLabels = 26;
constexpr double kTemperature = 0.7;

// Layers of weights [inputs, outputs] and biases in turn, and Adam's state.
class Network {
 public:
  Network(const std::vector<int64_t>& sizes, double rate, at::Device device) : rate_(rate) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) {
      const double scale = std::sqrt(2.0 / static_cast<double>(sizes[i]));
      Add(at::randn({sizes[i], sizes[i + 1]}, at::kFloat).mul_(scale).to(device));
      Add(at::zeros({sizes[i + 1]}, at::kFloat).to(device));
    }
  }

  at::Tensor Forward(at::Tensor x) const {
    for (size_t i = 0; i < weights_.size(); i += 2) {
      x = at::addmm(weights_[i + 1], x, weights_[i]);
      if (i + 2 < weights_.size()) x = at::leaky_relu(x, 0.2);
    }
    return x;
  }

  void Step(const at::Tensor& loss) {
    const std::vector<at::Tensor> gradients = torch::autograd::grad({loss}, weights_);
    const c10::NoGradGuard no_gradients;
    at::_foreach_add_(steps_, 1);
    at::_fused_adam_(weights_, gradients, means_, squares_, {}, steps_, rate_, 0.5, 0.99, 0.0, 1e-8,
                     /*amsgrad=*/false, /*maximize=*/false);
  }

  const std::vector<at::Tensor>& weights() const { return weights_; }

 private:
  void Add(const at::Tensor& weight) {
    means_.push_back(at::zeros_like(weight));
    squares_.push_back(at::zeros_like(weight));
    steps_.push_back(at::zeros({}, weight.options()));
    weights_.push_back(at::Tensor(weight).requires_grad_(true));
  }

  double rate_;
  std::vector<at::Tensor> weights_;
  std::vector<at::Tensor> means_;
  std::vector<at::Tensor> squares_;
  std::vector<at::Tensor> steps_;
};

class Trainer {
 public:
  Trainer(at::Device device, int64_t variants)
      : draw_(device),
        generator_({kLatent + kLabels, 256, 256, variants}, 1e-4, device),
        critic_({variants, 256, 128, 1 + kLabels}, 4e-4, device),
        latent_columns_(draw_.Columns({{Purpose::kTraining, 0, kLatent / 4}})),
        allele_columns_(draw_.Columns({{Purpose::kTraining, 1 << 20, (variants + 3) / 4}})),
        keys_(at::zeros({3, kBatch}, at::kLong)),
        variants_(variants) {
    keys_[0].copy_(at::arange(kBatch, at::kLong));
    keys_ = keys_.to(device);
    real_ = at::bernoulli(at::rand({kBatch, variants}, at::kFloat)).to(device);
    labels_ = at::one_hot(at::arange(kBatch, at::kLong).remainder(kLabels), kLabels).to(at::kFloat).to(device);
  }

  // One step of the critic and one of the generator. Its noise is a function of the row and of the count of draws,
  // which stands on the device, so that a captured step draws other numbers each time.
  void Step() {
    at::Tensor fake;
    {
      const c10::NoGradGuard no_gradients;
      fake = Fake();
    }
    const at::Tensor on_real = critic_.Forward(real_);
    const at::Tensor on_fake = critic_.Forward(fake);
    critic_.Step(at::softplus(Judgement(on_real).neg())
                     .mean()
                     .add(at::softplus(Judgement(on_fake)).mean())
                     .add(Misclassified(on_real)));
    const at::Tensor judged = critic_.Forward(Fake());
    generator_.Step(at::softplus(Judgement(judged).neg()).mean().add(Misclassified(judged)));
  }

  std::vector<at::Tensor> Weights() const {
    std::vector<at::Tensor> weights;
    for (const Network* network : {&generator_, &critic_}) {
      for (const at::Tensor& weight : network->weights()) weights.push_back(weight.detach().to(at::kCPU, at::kDouble));
    }
    return weights;
  }

 private:
  // Rows drawn in relaxed form: the logits plus logistic noise, divided by the temperature.
  at::Tensor Fake() {
    keys_[1].add_(1);
    const at::Tensor latents = draw_.Normal(draw_.Bits(keys_, latent_columns_).flatten(1));
    const at::Tensor numbers = draw_.Bits(keys_, allele_columns_).flatten(1).narrow(1, 0, variants_);
    const at::Tensor uniform = numbers.bitwise_right_shift(9).to(at::kFloat).add(0.5).mul(0x1p-23);
    const at::Tensor noise = uniform.log().sub(uniform.neg().add(1.0).log());
    return at::sigmoid(generator_.Forward(at::cat({latents, labels_}, 1)).add(noise).div(kTemperature));
  }
  static at::Tensor Judgement(const at::Tensor& outputs) { return outputs.narrow(1, 0, 1); }
  at::Tensor Misclassified(const at::Tensor& outputs) const {
    return at::log_softmax(outputs.narrow(1, 1, kLabels), 1).mul(labels_).sum().mul(-0.1 / kBatch);
  }

  DeviceDraw draw_;
  Network generator_;
  Network critic_;
  at::Tensor latent_columns_;
  at::Tensor allele_columns_;
  at::Tensor keys_;
  int64_t variants_;
  at::Tensor real_;
  at::Tensor labels_;
};

double LargestDifference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, a[i].sub(b[i]).abs().max().item<double>());
  return largest;
}

// The first steps, in which libraries set themselves up and a step is captured, are not timed. After them the weights
// are compared: not at the end, since training enlarges what two runs differ by.
constexpr int kUntimed = 8;

}  // namespace

TrainingFigures MeasureTraining(at::Device device, int64_t variants, int steps) {
  std::vector<at::Tensor> before;
  const auto run = [&](bool captured, double& steps_per_second) {
    at::manual_seed(3);
    const std::shared_ptr<DeviceStream> stream = MakeDeviceStream(device);
    std::unique_ptr<Trainer> trainer;
    stream->Enqueue([&] { trainer = std::make_unique<Trainer>(device, variants); });
    stream->Mark()();
    before = trainer->Weights();
    GraphedStep step(stream, [&] { trainer->Step(); });
    const auto once = [&] {
      if (captured) {
        step.Run();
      } else {
        stream->Enqueue([&] { trainer->Step(); });
      }
    };
    for (int i = 0; i < kUntimed; ++i) once();
    step.Wait();
    std::vector<at::Tensor> after = trainer->Weights();
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < steps; ++i) once();
    step.Wait();
    steps_per_second = steps / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return after;
  };
  TrainingFigures figures;
  const std::vector<at::Tensor> eager = run(false, figures.eager_steps_per_second);
  const std::vector<at::Tensor> captured = run(true, figures.captured_steps_per_second);
  figures.largest_difference = LargestDifference(eager, captured);
  figures.largest_change = LargestDifference(before, captured);
  return figures;
}

}  // namespace genoserve
