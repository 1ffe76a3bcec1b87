// The trainable tensors of a network, by name.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/artifact/safetensors.h"
#include "trainer/objective/noise.h"

namespace genoserve {

/// Tensors by name in the order in which they were added. Copies share the tensors; Clone does not.
class Parameters {
 public:
  /// Adds a leaf that gradients are taken for. The name must be new.
  void Add(const std::string& name, const at::Tensor& value);

  /// Adds the tensor itself, which may be computed from others that gradients are taken for. The name must be new.
  void Share(const std::string& name, const at::Tensor& tensor) { items_.emplace_back(name, tensor); }

  /// Adds `name`.weight [outputs, inputs] and `name`.bias [outputs], uniform within +-bound: Glorot's
  /// sqrt(6 / (inputs + outputs)) and bias 0 (Keras' default), times `gain`.
  void AddGlorotLinear(const std::string& name, int64_t outputs, int64_t inputs, double gain, TrainingNoise& noise);

  /// The same with bound 1 / sqrt(inputs) for both (PyTorch's default), times `gain`.
  void AddUniformLinear(const std::string& name, int64_t outputs, int64_t inputs, double gain, TrainingNoise& noise);

  /// The tensor of this name, which must be there.
  const at::Tensor& operator[](const std::string& name) const;
  bool contains(const std::string& name) const;
  const std::vector<std::pair<std::string, at::Tensor>>& items() const { return items_; }
  /// The tensors alone, in order.
  std::vector<at::Tensor> tensors() const;

  /// Detached copies.
  Parameters Clone() const;

  /// x W' + b with `name`.weight and `name`.bias.
  at::Tensor Linear(const std::string& name, const at::Tensor& x) const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> items_;
};

/// Exponential moving average of weights: average <- d average + (1 - d) weights, with d = min(decay, (1 + steps) /
/// (10 + steps)) so that the start is soon forgotten (TensorFlow's ExponentialMovingAverage with num_updates).
void UpdateAverage(const Parameters& weights, double decay, int64_t steps, Parameters& average);

/// A dense fp32 tensor of main memory as LibTorch's and back.
at::Tensor ToTorch(const Tensor& tensor, at::Device device);
Tensor FromTorch(const at::Tensor& tensor);

}  // namespace genoserve
