#include "trainer/objective/adversarial_recipe.h"

#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/artifact/safetensors.h"
#include "core/base/status.h"
#include "core/gpu/torch_guard.h"
#include "trainer/distributed/global_sum.h"
#include "trainer/objective/gradient_clip.h"
#include "trainer/objective/hidden_penalty.h"
#include "trainer/objective/learning_rate.h"

namespace genoserve {
namespace {

// The draws of Export have steps of their own, so that exporting changes nothing that follows.
constexpr int64_t kExportStep = int64_t{1} << 39;
// Of Recover; rates of 2^-255 would be none.
constexpr int64_t kMostAttempts = 255;

// What a state begins with, before its tensors.
struct StateHead {
  int64_t steps = -1;
  int64_t attempt = -1;
};

}  // namespace

AdversarialRecipe::AdversarialRecipe(const v1::Manifest& manifest, const TrainingSet& data, const RecipeSetup& setup)
    : manifest_(manifest),
      recipe_(manifest_.training().recipe()),
      data_(data),
      seed_(setup.seed),
      device_(setup.device == DeviceKind::kCuda ? at::kCUDA : at::kCPU),
      lone_(MakeLoneProcess()),
      group_(setup.group != nullptr ? *setup.group : *lone_),
      noise_(setup.seed, device_),
      total_steps_(setup.total_steps) {
  noise_.StartStep(0);
}

absl::Status AdversarialRecipe::SetUpOptimizers() {
  average_ = generator_.Clone();
  if (recipe_.spectral_norm()) spectral_norm_ = std::make_unique<SpectralNorm>(critic_, noise_);
  return SetAttempt(0);
}

absl::Status AdversarialRecipe::SetAttempt(int64_t attempt) {
  const double part = std::ldexp(1.0, static_cast<int>(-attempt));
  GENOSERVE_ASSIGN_OR_RETURN(generator_optimizer_,
                             MakeOptimizer(recipe_, part * recipe_.generator_learning_rate(), generator_));
  GENOSERVE_ASSIGN_OR_RETURN(critic_optimizer_, MakeOptimizer(recipe_, part * recipe_.critic_learning_rate(), critic_));
  noise_.SetAttempt(static_cast<int>(attempt));
  attempt_ = attempt;
  return absl::OkStatus();
}

void AdversarialRecipe::Recover(int attempt) {
  const auto before = StateTensors();
  // The settings made optimisers before, so that they do again.
  if (!SetAttempt(std::clamp<int64_t>(attempt, 0, kMostAttempts)).ok()) return;
  const c10::NoGradGuard no_grad;
  const auto after = StateTensors();
  for (size_t i = 0; i < after.size(); ++i) at::Tensor(after[i].second).copy_(before[i].second);
}

double AdversarialRecipe::Temperature(int64_t pass_steps) const {
  // The last of all steps, or passes, but one is followed by the end.
  const int64_t unit = recipe_.temperature_by_pass() ? std::max<int64_t>(1, pass_steps) : 1;
  const int64_t last = recipe_.temperature_by_pass() ? (total_steps_ - 1) / unit : total_steps_;
  const int64_t passed = steps_ / unit;
  const double done = std::min(1.0, static_cast<double>(passed) / static_cast<double>(std::max<int64_t>(1, last)));
  return recipe_.temperature_start() + done * (recipe_.temperature_end() - recipe_.temperature_start());
}

double AdversarialRecipe::Descend(const at::Tensor& loss, const BatchRows& rows, const Parameters& parameters,
                                  Optimizer& optimizer, double hidden_decay) {
  double penalty = 0;
  const auto step = [&](const std::vector<at::Tensor>& gradients) {
    if (hidden_decay > 0) penalty = AddHiddenPenalty(parameters, hidden_decay, gradients);
    optimizer.Step(parameters, gradients,
                   {.rate = LearningRateFactor(recipe_, steps_, total_steps_),
                    .gradient = ClipFactor(gradients, recipe_.gradient_clip())});
  };
  if (group_.size() == 1) {
    step(torch::autograd::grad({loss}, parameters.tensors()));
    return loss.item<double>() + penalty;
  }
  const at::Tensor part = loss * (static_cast<double>(rows.count()) / static_cast<double>(rows.total));
  const std::vector<at::Tensor> gradients = torch::autograd::grad({part}, parameters.tensors());
  // One buffer for all gradients and the loss: a sum over processes costs a round of messages however small it is.
  std::vector<at::Tensor> pieces;
  pieces.reserve(gradients.size() + 1);
  for (const at::Tensor& gradient : gradients) pieces.push_back(gradient.reshape({-1}));
  pieces.push_back(part.detach().reshape({1}));
  at::Tensor buffer = at::cat(pieces);
  SumInPlace(group_, buffer);
  std::vector<at::Tensor> sums;
  sums.reserve(gradients.size());
  int64_t first = 0;
  for (const at::Tensor& gradient : gradients) {
    sums.push_back(buffer.narrow(0, first, gradient.numel()).view(gradient.sizes()));
    first += gradient.numel();
  }
  step(sums);
  return buffer[first].item<double>() + penalty;
}

absl::StatusOr<Losses> AdversarialRecipe::Step() {
  Losses losses;
  const absl::Status done = GuardTorch([&] {
    noise_.StartStep(steps_ + 1);
    if (spectral_norm_ != nullptr) spectral_norm_->Update(critic_);
    losses = TrainStep();
    UpdateAverage(generator_, recipe_.average_decay(), steps_, average_);
    ++steps_;
    return absl::OkStatus();
  });
  GENOSERVE_RETURN_IF_ERROR(group_.status());
  GENOSERVE_RETURN_IF_ERROR(done);
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
  if (spectral_norm_ != nullptr) add("spectral_norm.", spectral_norm_->State());
  return tensors;
}

absl::StatusOr<std::string> AdversarialRecipe::SaveState() const {
  TensorMap tensors;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    for (const auto& [name, tensor] : StateTensors()) tensors[name] = FromTorch(tensor);
    return absl::OkStatus();
  }));
  const StateHead head{steps_, attempt_};
  std::string state(sizeof(head), '\0');
  std::memcpy(state.data(), &head, sizeof(head));
  return state + SerializeSafetensors(tensors);
}

absl::Status AdversarialRecipe::RestoreState(absl::string_view state) {
  if (group_.size() == 1) return Restore(state);
  std::string first(state);
  GENOSERVE_RETURN_IF_ERROR(group_.Broadcast(first));
  return Restore(first);
}

absl::Status AdversarialRecipe::Restore(absl::string_view state) {
  StateHead head;
  if (state.size() >= sizeof(head)) std::memcpy(&head, state.data(), sizeof(head));
  if (head.steps < 0 || head.attempt < 0 || head.attempt > kMostAttempts) {
    return absl::InvalidArgumentError("a training state begins with the numbers of its steps and recoveries");
  }
  state.remove_prefix(sizeof(head));
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
    GENOSERVE_RETURN_IF_ERROR(SetAttempt(head.attempt));
    for (const auto& [name, tensor] : StateTensors()) at::Tensor(tensor).copy_(ToTorch(saved.at(name), device_));
    steps_ = head.steps;
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
