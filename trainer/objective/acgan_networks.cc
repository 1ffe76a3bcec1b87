#include "trainer/objective/acgan_networks.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "trainer/objective/dense_layer.h"
#include "trainer/objective/products.h"

namespace genoserve {

at::Tensor AcganHidden(const v1::AcganSpec& spec, const Parameters& generator, int64_t label_count, const at::Tensor& z,
                       const at::Tensor& labels) {
  const at::Tensor one_hot = at::one_hot(labels, label_count).to(z.scalar_type());
  std::vector<at::Tensor> inputs(static_cast<size_t>(spec.label_repeats()), one_hot);
  inputs.push_back(z);
  inputs.insert(inputs.end(), static_cast<size_t>(spec.label_repeats()), one_hot);
  at::Tensor x = at::cat(inputs, 1);
  for (int i = 0; i < spec.hidden_sizes_size(); ++i) {
    x = DenseLayer(generator, absl::StrCat("hidden.", i), x, spec.leaky_slope());
  }
  if (spec.rank() == 0) return x;
  const at::Tensor ranked = DenseLayer(generator, "rank", x, 1.0);
  return spec.latent_skip() ? ranked + Multiply(z, generator["skip.weight"].to(z.scalar_type()).t()) : ranked;
}

at::Tensor AcganLogits(const Parameters& generator, const at::Tensor& hidden, const at::Tensor& labels) {
  at::Tensor logits = DenseLayer(generator, "output", hidden, 1.0);
  if (!generator.contains("label_logits")) return logits;
  return logits + generator["label_logits"].index_select(0, labels).to(hidden.scalar_type());
}

Parameters InitialDiscriminator(const v1::TrainingRecipe& recipe, int64_t variants, int64_t label_count,
                                TrainingNoise& noise) {
  Parameters parameters;
  int64_t width = variants;
  for (int i = 0; i < recipe.critic_hidden_sizes_size(); ++i) {
    parameters.AddGlorotLinear(absl::StrCat("hidden.", i), recipe.critic_hidden_sizes(i), width, 1.0, noise);
    width = recipe.critic_hidden_sizes(i);
  }
  parameters.AddGlorotLinear("validity", 1, width, 1.0, noise);
  parameters.AddGlorotLinear("classes", label_count, width, 1.0, noise);
  return parameters;
}

Verdict Discriminate(const v1::TrainingRecipe& recipe, double leaky_slope, const Parameters& discriminator,
                     const at::Tensor& alleles, const BatchRows& rows, TrainingNoise& noise) {
  at::Tensor x = alleles;
  for (int i = 0; i < recipe.critic_hidden_sizes_size(); ++i) {
    x = DenseLayer(discriminator, absl::StrCat("hidden.", i), x, leaky_slope);
    const double rate = i < recipe.critic_dropout_size() ? recipe.critic_dropout(i) : 0.0;
    if (rate > 0) x = x * at::gt(noise.Uniform(rows, {x.size(1)}), rate).to(x.scalar_type()).div_(1 - rate);
  }
  x = x.to(at::kFloat);
  return {discriminator.Linear("validity", x).squeeze(1), discriminator.Linear("classes", x)};
}

}  // namespace genoserve
