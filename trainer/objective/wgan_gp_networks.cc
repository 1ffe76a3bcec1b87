#include "trainer/objective/wgan_gp_networks.h"

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "trainer/distributed/global_sum.h"
#include "trainer/objective/minibatch_deviation.h"

namespace genoserve {
namespace {

constexpr double kNormEpsilon = 1e-5;

// Normalises the features of a layer, given its input; see BatchNorm and Fold.
using Normalise = absl::FunctionRef<at::Tensor(const std::string& layer, const at::Tensor& linear)>;

// BatchNorm of features [rows, features] by their mean and variance over the batch.
at::Tensor BatchNorm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& shift, int64_t total,
                     ProcessGroup& group) {
  if (group.size() == 1) {
    return at::batch_norm(x, scale, shift, {}, {}, /*training=*/true, /*momentum=*/0.1, kNormEpsilon,
                          /*cudnn_enabled=*/false);
  }
  const auto rows = static_cast<double>(total);
  const at::Tensor centred = x - GlobalSum(group, at::sum(x, 0)) / rows;
  const at::Tensor variance = GlobalSum(group, at::sum(centred * centred, 0)) / rows;
  return centred * at::rsqrt(variance + kNormEpsilon) * scale + shift;
}

at::Tensor Hidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                  const at::Tensor& condition, Normalise normalise) {
  const double slope = spec.leaky_slope();
  const auto layer = [&](const std::string& name, const at::Tensor& x) {
    return normalise(name, generator.Linear(name, x));
  };
  const at::Tensor inputs = at::cat({z, condition}, 1);
  at::Tensor x = at::leaky_relu(layer("first", inputs), slope);
  for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
    const std::string block = absl::StrCat("block.", i);
    const at::Tensor with_c = at::cat({x, condition}, 1);
    const at::Tensor inner = at::leaky_relu(layer(block + ".residual1", with_c), slope);
    const at::Tensor residual = layer(block + ".residual2", inner);
    x = at::leaky_relu(generator.Linear(block + ".out", at::leaky_relu(residual + with_c, slope)), slope);
  }
  if (spec.rank() == 0) return x;
  const at::Tensor ranked = generator.Linear("rank", x);
  return spec.latent_skip() ? at::addmm(ranked, inputs, generator["skip.weight"].t()) : ranked;
}

}  // namespace

at::Tensor WganGpHidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                        const at::Tensor& condition, const BatchRows& rows, ProcessGroup& group) {
  return Hidden(spec, generator, z, condition, [&](const std::string& layer, const at::Tensor& linear) {
    return BatchNorm(linear, generator[layer + ".norm.weight"], generator[layer + ".norm.bias"], rows.total, group);
  });
}

at::Tensor FoldWganGpHidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                            const at::Tensor& condition, TensorMap& folded) {
  const std::unique_ptr<ProcessGroup> lone = MakeLoneProcess();
  return Hidden(spec, generator, z, condition, [&](const std::string& layer, const at::Tensor& linear) {
    const at::Tensor& scale = generator[layer + ".norm.weight"];
    const at::Tensor& shift = generator[layer + ".norm.bias"];
    const at::Tensor factor = scale / at::sqrt(at::var(linear, 0, /*unbiased=*/false) + kNormEpsilon);
    folded[layer + ".weight"] = FromTorch(generator[layer + ".weight"] * factor.unsqueeze(1));
    folded[layer + ".bias"] = FromTorch((generator[layer + ".bias"] - at::mean(linear, 0)) * factor + shift);
    return BatchNorm(linear, scale, shift, linear.size(0), *lone);
  });
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
  parameters.AddUniformLinear("score", 1, recipe.minibatch_deviation() ? width + 1 : width, 1.0, noise);
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
  if (recipe.minibatch_deviation()) x = AppendMinibatchDeviation(x);
  return critic.Linear("score", x).squeeze(1);
}

}  // namespace genoserve
