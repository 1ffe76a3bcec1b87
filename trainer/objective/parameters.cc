#include "trainer/objective/parameters.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

namespace genoserve {

void Parameters::Add(const std::string& name, const at::Tensor& value) {
  items_.emplace_back(name, value.detach().clone().set_requires_grad(true));
}

void Parameters::AddGlorotLinear(const std::string& name, int64_t outputs, int64_t inputs, double gain,
                                 TrainingNoise& noise) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(inputs + outputs));
  const at::Tensor weight = noise.Uniform({outputs, inputs}).mul_(2 * bound).sub_(bound);
  Add(name + ".weight", weight);
  Add(name + ".bias", at::zeros({outputs}, weight.options()));
}

void Parameters::AddUniformLinear(const std::string& name, int64_t outputs, int64_t inputs, double gain,
                                  TrainingNoise& noise) {
  const double bound = gain / std::sqrt(static_cast<double>(inputs));
  Add(name + ".weight", noise.Uniform({outputs, inputs}).mul_(2 * bound).sub_(bound));
  Add(name + ".bias", noise.Uniform({outputs}).mul_(2 * bound).sub_(bound));
}

const at::Tensor& Parameters::operator[](const std::string& name) const {
  const auto found =
      std::find_if(items_.begin(), items_.end(), [&name](const auto& item) { return item.first == name; });
  TORCH_CHECK(found != items_.end(), "no parameter ", name);
  return found->second;
}

bool Parameters::contains(const std::string& name) const {
  return std::any_of(items_.begin(), items_.end(), [&name](const auto& item) { return item.first == name; });
}

std::vector<at::Tensor> Parameters::tensors() const {
  std::vector<at::Tensor> tensors;
  tensors.reserve(items_.size());
  for (const auto& [name, tensor] : items_) tensors.push_back(tensor);
  return tensors;
}

Parameters Parameters::Clone() const {
  Parameters clone;
  for (const auto& [name, tensor] : items_) clone.items_.emplace_back(name, tensor.detach().clone());
  return clone;
}

at::Tensor Parameters::Linear(const std::string& name, const at::Tensor& x) const {
  return at::addmm((*this)[name + ".bias"], x, (*this)[name + ".weight"].t());
}

void UpdateAverage(const Parameters& weights, double decay, int64_t steps, Parameters& average) {
  const c10::NoGradGuard no_grad;
  const double soon = static_cast<double>(1 + steps) / static_cast<double>(10 + steps);
  const double share = 1.0 - std::min(decay, soon);
  for (size_t i = 0; i < weights.items().size(); ++i) {
    at::Tensor mean = average.items()[i].second;
    mean.lerp_(weights.items()[i].second, share);
  }
}

at::Tensor ToTorch(const Tensor& tensor, at::Device device) {
  at::Tensor copy = at::empty(tensor.shape, at::kFloat);
  std::copy(tensor.values.begin(), tensor.values.end(), copy.mutable_data_ptr<float>());
  return copy.to(device);
}

Tensor FromTorch(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().cpu().contiguous();
  const float* values = dense.const_data_ptr<float>();
  return {dense.sizes().vec(), std::vector<float>(values, values + dense.numel())};
}

}  // namespace genoserve
