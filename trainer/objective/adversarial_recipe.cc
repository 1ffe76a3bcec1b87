#include "trainer/objective/adversarial_recipe.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/artifact/safetensors.h"
#include "core/base/status.h"
#include "core/model/torch_guard.h"

namespace genoserve {
namespace {

// The draws of Export have steps of their own, so that exporting changes nothing that follows.
constexpr int64_t kExportStep = int64_t{1} << 39;

}  // namespace

AdversarialRecipe::AdversarialRecipe(const v1::Manifest& manifest, const TrainingSet& data, uint64_t seed,
                                     int64_t total_steps, DeviceKind device)
    : manifest_(manifest),
      recipe_(manifest_.training().recipe()),
      data_(data),
      seed_(seed),
      device_(device == DeviceKind::kCuda ? at::kCUDA : at::kCPU),
      noise_(seed, device_),
      total_steps_(total_steps) {
  noise_.StartStep(0);
}

absl::Status AdversarialRecipe::SetUpOptimizers() {
  GENOSERVE_ASSIGN_OR_RETURN(generator_optimizer_,
                             MakeOptimizer(recipe_, recipe_.generator_learning_rate(), generator_));
  GENOSERVE_ASSIGN_OR_RETURN(critic_optimizer_, MakeOptimizer(recipe_, recipe_.critic_learning_rate(), critic_));
  average_ = generator_.Clone();
  return absl::OkStatus();
}

double AdversarialRecipe::Temperature() const {
  const double done =
      std::min(1.0, static_cast<double>(steps_) / static_cast<double>(std::max<int64_t>(1, total_steps_)));
  return recipe_.temperature_start() + done * (recipe_.temperature_end() - recipe_.temperature_start());
}

absl::StatusOr<Losses> AdversarialRecipe::Step() {
  Losses losses;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    noise_.StartStep(steps_ + 1);
    losses = TrainStep();
    UpdateAverage(generator_, recipe_.average_decay(), steps_, average_);
    ++steps_;
    return absl::OkStatus();
  }));
  for (const auto& [name, value] : losses) {
    if (!std::isfinite(value)) {
      return absl::InternalError(
          absl::StrCat("the ", name, " loss is not finite after step ", steps_, ": smaller learning rates may help"));
    }
  }
  return losses;
}

std::vector<std::pair<std::string, at::Tensor>> AdversarialRecipe::StateTensors() const {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  const auto add = [&tensors](const std::string& prefix, const auto& items) {
    for (const auto& [name, tensor] : items) tensors.emplace_back(prefix + name, tensor);
  };
  add("generator.", generator_.items());
  add("critic.", critic_.items());
  add("average.", average_.items());
  add("generator_optimizer.", generator_optimizer_->State());
  add("critic_optimizer.", critic_optimizer_->State());
  return tensors;
}

absl::StatusOr<std::string> AdversarialRecipe::SaveState() const {
  TensorMap tensors;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    for (const auto& [name, tensor] : StateTensors()) tensors[name] = FromTorch(tensor);
    return absl::OkStatus();
  }));
  std::string state(sizeof(steps_), '\0');
  std::memcpy(state.data(), &steps_, sizeof(steps_));
  return state + SerializeSafetensors(tensors);
}

absl::Status AdversarialRecipe::RestoreState(absl::string_view state) {
  int64_t steps = -1;
  if (state.size() >= sizeof(steps)) std::memcpy(&steps, state.data(), sizeof(steps));
  if (steps < 0) return absl::InvalidArgumentError("a training state begins with the number of its steps");
  state.remove_prefix(sizeof(steps));
  GENOSERVE_ASSIGN_OR_RETURN(const TensorMap saved, ParseSafetensors(state));
  return GuardTorch([&]() -> absl::Status {
    const c10::NoGradGuard no_grad;
    const auto tensors = StateTensors();
    bool same = saved.size() == tensors.size();
    for (const auto& [name, tensor] : tensors) {
      const auto found = saved.find(name);
      same = same && found != saved.end() && found->second.shape == tensor.sizes().vec();
    }
    if (!same) return absl::InvalidArgumentError("the training state belongs to networks of other sizes");
    for (const auto& [name, tensor] : tensors) at::Tensor(tensor).copy_(ToTorch(saved.at(name), device_));
    steps_ = steps;
    return absl::OkStatus();
  });
}

absl::StatusOr<TensorMap> AdversarialRecipe::Export() const {
  TensorMap weights;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    const c10::NoGradGuard no_grad;
    TrainingNoise noise(seed_, device_);
    noise.StartStep(kExportStep);
    weights = ExportWeights(recipe_.average_decay() > 0 ? average_ : generator_, noise);
    return absl::OkStatus();
  }));
  return weights;
}

}  // namespace genoserve
