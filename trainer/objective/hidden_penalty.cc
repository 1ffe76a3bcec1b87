#include "trainer/objective/hidden_penalty.h"

#include <c10/core/GradMode.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "trainer/objective/fused_update.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

// Values that are added up in single precision.
constexpr int64_t kBlock = 4096;

// The same for one kernel, without the factor.
double AddPenaltyOf(const at::Tensor& weight, double decay, const at::Tensor& gradient) {
  if (!weight.is_cpu()) {
    gradient.add_(weight, 2 * decay);
    return at::sum(at::square(weight), at::kDouble).item<double>();
  }
  TORCH_CHECK(weight.is_contiguous() && gradient.is_contiguous(), "weights and gradients must be contiguous");
  const int64_t size = weight.numel();
  const float* weights = weight.const_data_ptr<float>();
  float* gradients = gradient.mutable_data_ptr<float>();
  std::vector<float> sums(static_cast<size_t>((size + kBlock - 1) / kBlock));
  OnTorchThreads(static_cast<int64_t>(sums.size()), 32, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = i * kBlock;
      sums[static_cast<size_t>(i)] = AddScaled(weights + begin, static_cast<float>(2 * decay),
                                               static_cast<size_t>(std::min(kBlock, size - begin)), gradients + begin);
    }
  });
  double sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

}  // namespace

double AddHiddenPenalty(const Parameters& parameters, double decay, const std::vector<at::Tensor>& gradients) {
  const c10::NoGradGuard no_grad;
  double sum = 0;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const auto& [name, weight] = parameters.items()[i];
    if (!absl::StartsWith(name, "hidden.") || !absl::EndsWith(name, ".weight")) continue;
    sum += AddPenaltyOf(weight, decay, gradients[i]);
  }
  return decay * sum;
}

}  // namespace genoserve
