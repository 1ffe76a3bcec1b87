#include "trainer/objective/spectral_norm.h"

#include <c10/core/GradMode.h>

namespace genoserve {
namespace {

// Keeps the division of a vector by its norm finite.
constexpr double kEpsilon = 1e-12;

at::Tensor Unit(const at::Tensor& vector) { return vector / (at::linalg_vector_norm(vector) + kEpsilon); }

}  // namespace

SpectralNorm::SpectralNorm(const Parameters& parameters, TrainingNoise& noise) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, tensor] : parameters.items()) {
    if (tensor.dim() != 2) continue;
    left_.emplace_back(name + ".left", Unit(noise.Normal({tensor.size(0)})));
    right_.emplace_back(name + ".right", Unit(at::mv(tensor.t(), left_.back().second)));
  }
}

void SpectralNorm::Update(const Parameters& parameters) {
  const c10::NoGradGuard no_grad;
  size_t i = 0;
  for (const auto& [name, tensor] : parameters.items()) {
    if (tensor.dim() != 2) continue;
    right_[i].second.copy_(Unit(at::mv(tensor.t(), left_[i].second)));
    left_[i].second.copy_(Unit(at::mv(tensor, right_[i].second)));
    ++i;
  }
}

Parameters SpectralNorm::Normalised(const Parameters& parameters) const {
  Parameters normalised;
  size_t i = 0;
  for (const auto& [name, tensor] : parameters.items()) {
    if (tensor.dim() != 2) {
      normalised.Share(name, tensor);
      continue;
    }
    const at::Tensor largest = at::dot(left_[i].second, at::mv(tensor, right_[i].second));
    // A matrix of zeros stays one.
    normalised.Share(name, tensor / (largest + kEpsilon));
    ++i;
  }
  return normalised;
}

std::vector<std::pair<std::string, at::Tensor>> SpectralNorm::State() const {
  std::vector<std::pair<std::string, at::Tensor>> state = left_;
  state.insert(state.end(), right_.begin(), right_.end());
  return state;
}

}  // namespace genoserve
