#include "trainer/objective/wgan_gp_networks.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

constexpr double kNormEpsilon = 1e-5;

// Linear and BatchNorm over the rows.
at::Tensor NormalisedLinear(const std::string& name, const Parameters& generator, const at::Tensor& x,
                            TensorMap* folded) {
  const at::Tensor linear = generator.Linear(name, x);
  const at::Tensor& scale = generator[name + ".norm.weight"];
  const at::Tensor& shift = generator[name + ".norm.bias"];
  if (folded != nullptr) {
    const at::Tensor factor = scale / at::sqrt(at::var(linear, 0, /*unbiased=*/false) + kNormEpsilon);
    (*folded)[name + ".weight"] = FromTorch(generator[name + ".weight"] * factor.unsqueeze(1));
    (*folded)[name + ".bias"] = FromTorch((generator[name + ".bias"] - at::mean(linear, 0)) * factor + shift);
  }
  return at::batch_norm(linear, scale, shift, {}, {}, /*training=*/true, /*momentum=*/0.1, kNormEpsilon,
                        /*cudnn_enabled=*/false);
}

}  // namespace

at::Tensor WganGpHidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                        const at::Tensor& condition, TensorMap* folded) {
  const double slope = spec.leaky_slope();
  const at::Tensor inputs = at::cat({z, condition}, 1);
  at::Tensor x = at::leaky_relu(NormalisedLinear("first", generator, inputs, folded), slope);
  for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
    const std::string block = absl::StrCat("block.", i);
    const at::Tensor with_c = at::cat({x, condition}, 1);
    const at::Tensor inner = at::leaky_relu(NormalisedLinear(block + ".residual1", generator, with_c, folded), slope);
    const at::Tensor residual = NormalisedLinear(block + ".residual2", generator, inner, folded);
    x = at::leaky_relu(generator.Linear(block + ".out", at::leaky_relu(residual + with_c, slope)), slope);
  }
  if (spec.rank() == 0) return x;
  const at::Tensor ranked = generator.Linear("rank", x);
  return spec.latent_skip() ? at::addmm(ranked, inputs, generator["skip.weight"].t()) : ranked;
}

at::Tensor WganGpLogits(const Parameters& generator, const at::Tensor& hidden) {
  return generator.Linear("output", hidden).view({hidden.size(0), 3, -1});
}

Parameters InitialCritic(const v1::TrainingRecipe& recipe, int64_t variants, int64_t condition_size,
                         TrainingNoise& noise) {
  Parameters parameters;
  int64_t width = recipe.critic_hidden_sizes(0);
  parameters.AddUniformLinear("first", width, 3 * variants + condition_size, 1.0, noise);
  for (int i = 0; i + 1 < recipe.critic_hidden_sizes_size(); ++i) {
    const std::string block = absl::StrCat("block.", i);
    width += condition_size;
    parameters.AddUniformLinear(block + ".residual1", width, width, 1.0, noise);
    parameters.AddUniformLinear(block + ".residual2", width, width, 1.0, noise);
    parameters.AddUniformLinear(block + ".out", recipe.critic_hidden_sizes(i + 1), width, 1.0, noise);
    width = recipe.critic_hidden_sizes(i + 1);
  }
  parameters.AddUniformLinear("score", 1, width, 1.0, noise);
  return parameters;
}

at::Tensor Criticise(const v1::TrainingRecipe& recipe, double leaky_slope, const Parameters& critic,
                     const at::Tensor& genotypes, const at::Tensor& condition) {
  at::Tensor x = at::leaky_relu(critic.Linear("first", at::cat({genotypes, condition}, 1)), leaky_slope);
  for (int i = 0; i + 1 < recipe.critic_hidden_sizes_size(); ++i) {
    const std::string block = absl::StrCat("block.", i);
    const at::Tensor with_c = at::cat({x, condition}, 1);
    const at::Tensor inner = at::leaky_relu(critic.Linear(block + ".residual1", with_c), leaky_slope);
    const at::Tensor residual = critic.Linear(block + ".residual2", inner);
    x = at::leaky_relu(critic.Linear(block + ".out", at::leaky_relu(residual + with_c, leaky_slope)), leaky_slope);
  }
  return critic.Linear("score", x).squeeze(1);
}

}  // namespace genoserve
