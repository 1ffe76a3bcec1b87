// The presets: the published settings under "-paper", and ours, which reach the training frequencies in minutes.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/model/condition.h"
#include "trainer/chain/chain_recipe.h"
#include "trainer/objective/recipe.h"

namespace genoserve {
namespace {

// A layer's width as a part of the number of variants, at least 1.
int Part(double variants, double divisor) { return std::max(1, static_cast<int>(variants / divisor)); }

absl::Status CheckAcganData(const v1::Manifest& manifest) {
  if (!manifest.phased()) {
    return absl::InvalidArgumentError("acgan learns haplotypes: it needs phased genotypes, these are not");
  }
  if (manifest.labels().empty()) return absl::InvalidArgumentError("acgan needs a population label for each sample");
  if (!manifest.phenotypes().empty()) {
    return absl::InvalidArgumentError("acgan is conditioned on labels only: phenotypes are for wgan-gp");
  }
  return absl::OkStatus();
}

absl::Status CheckWganGpData(const v1::Manifest& manifest) {
  if (manifest.phased()) return absl::InvalidArgumentError("wgan-gp learns diploid genotypes, not haplotypes");
  if (!manifest.labels().empty()) {
    return absl::InvalidArgumentError("wgan-gp is conditioned on phenotypes only: give the label as a categorical one");
  }
  return absl::OkStatus();
}

absl::Status CheckChainData(const v1::Manifest& manifest) {
  if (!manifest.phased() || !manifest.labels().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError("a chain of haplotypes needs a population label for each sample");
}

void FillAcgan(v1::Manifest& manifest) {
  const auto variants = static_cast<int>(manifest.variant_count());
  v1::AcganSpec& spec = *manifest.mutable_generator()->mutable_acgan();
  const int rank = std::min(128, std::max(8, variants / 4));
  spec.set_latent_size(rank);
  spec.set_label_repeats(1);
  for (const int size : {256, 256}) spec.add_hidden_sizes(size);
  spec.set_leaky_slope(0.2);
  spec.set_rank(rank);
  spec.set_latent_skip(true);
  spec.set_label_logits(true);
  spec.set_output(v1::ALLELE_OUTPUT_BERNOULLI);
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(256);
  recipe.set_optimizer("adam");
  recipe.set_generator_learning_rate(2e-5);
  recipe.set_critic_learning_rate(1e-4);
  recipe.set_adam_beta1(0.5);
  recipe.set_adam_beta2(0.99);
  recipe.set_critic_steps(2);
  for (const int size : {256, 128}) recipe.add_critic_hidden_sizes(size);
  recipe.set_weight_decay(1e-4);
  recipe.set_classifier_weight(0.1);
  recipe.set_polyloss_epsilon(0.2);
  recipe.set_label_smoothing(0.1);
  recipe.set_temperature_start(1.0);
  recipe.set_temperature_end(0.5);
  recipe.set_average_decay(0.999);
  recipe.set_start_from_data(true);
  recipe.set_calibrate(true);
  recipe.set_straight_through(true);
}

// Genome-AC-GAN as its code runs (Ms and divisions as there; 800 latent inputs as in its configuration files).
void FillAcganPaper(v1::Manifest& manifest) {
  const auto variants = static_cast<double>(manifest.variant_count());
  v1::AcganSpec& spec = *manifest.mutable_generator()->mutable_acgan();
  spec.set_latent_size(800);
  spec.set_label_repeats(4);
  for (const double divisor : {1.3, 1.2, 1.1}) spec.add_hidden_sizes(Part(variants, divisor));
  spec.set_leaky_slope(0.01);
  spec.set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(256);
  recipe.set_optimizer("rmsprop");
  recipe.set_generator_learning_rate(1e-4);
  recipe.set_critic_learning_rate(8e-4);
  recipe.set_critic_steps(2);
  for (const double divisor : {2.0, 3.0, 4.0}) recipe.add_critic_hidden_sizes(Part(variants, divisor));
  for (const double rate : {0.2, 0.2, 0.1}) recipe.add_critic_dropout(rate);
  recipe.set_weight_decay(1e-4);
  recipe.set_classifier_weight(1.0);
  recipe.set_polyloss_epsilon(0.2);
  recipe.set_label_smoothing(0.1);
  recipe.set_temperature_start(1.0);
  recipe.set_temperature_end(1.0);
  recipe.set_input_noise(0.01);
  recipe.set_target_noise(0.1);
  recipe.set_uniform_labels(true);
}

void FillWganGp(v1::Manifest& manifest) {
  const auto variants = static_cast<int>(manifest.variant_count());
  v1::WganGpSpec& spec = *manifest.mutable_generator()->mutable_wgan_gp();
  const int rank = std::min(256, std::max(8, variants / 4));
  spec.set_latent_size(rank);
  spec.set_condition_size(static_cast<int>(ConditionSize(manifest)));
  for (const int size : {128, 256}) spec.add_hidden_sizes(size);
  spec.set_leaky_slope(0.05);
  spec.set_rank(rank);
  spec.set_latent_skip(true);
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(64);
  recipe.set_optimizer("adam");
  recipe.set_generator_learning_rate(2e-5);
  recipe.set_critic_learning_rate(1e-4);
  recipe.set_adam_beta1(0.5);
  recipe.set_adam_beta2(0.9);
  recipe.set_critic_steps(3);
  for (const int size : {128, 64}) recipe.add_critic_hidden_sizes(size);
  recipe.set_gradient_penalty(10);
  recipe.set_temperature_start(1.0);
  recipe.set_temperature_end(0.5);
  recipe.set_average_decay(0.995);
  recipe.set_start_from_data(true);
  recipe.set_calibrate(true);
  recipe.set_straight_through(true);
}

// DiscreteGenoGen's WGAN_GS: its widths for thousands of variants (human/ENSEMBL) or for tens of thousands
// (human/MULTI). Its conditions are raw values; ours are standardised.
void FillWganGpPaper(v1::Manifest& manifest) {
  const auto variants = static_cast<double>(manifest.variant_count());
  const bool many = manifest.variant_count() >= 10000;
  v1::WganGpSpec& spec = *manifest.mutable_generator()->mutable_wgan_gp();
  spec.set_latent_size(many ? 256 : 128);
  spec.set_condition_size(static_cast<int>(ConditionSize(manifest)));
  for (const double divisor : {24.0, 12.0, 6.0}) {
    spec.add_hidden_sizes(Part(3 * variants, many ? divisor * 16 / 3 : divisor));
  }
  spec.set_leaky_slope(0.05);
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(many ? 128 : 512);
  recipe.set_optimizer("adam");
  recipe.set_generator_learning_rate(1e-4);
  recipe.set_critic_learning_rate(1e-4);
  recipe.set_adam_beta1(0.5);
  recipe.set_adam_beta2(0.9);
  recipe.set_critic_steps(5);
  for (const double divisor : {8.0, 16.0, 32.0}) {
    recipe.add_critic_hidden_sizes(Part(3 * variants, many ? divisor * 4 : divisor));
  }
  recipe.set_gradient_penalty(10);
  recipe.set_temperature_start(1.0);
  recipe.set_temperature_end(0.1);
  recipe.set_temperature_by_pass(true);
  recipe.set_input_noise(0.025);
}

}  // namespace

std::vector<std::string> PresetNames() { return {"chain", "acgan", "acgan-paper", "wgan-gp", "wgan-gp-paper"}; }

absl::Status ApplyPreset(absl::string_view preset, v1::Manifest& manifest) {
  const std::vector<std::string> names = PresetNames();
  if (std::find(names.begin(), names.end(), preset) == names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("preset \"", preset, "\" is unknown; there are ", absl::StrJoin(names, ", ")));
  }
  const bool acgan = preset == "acgan" || preset == "acgan-paper";
  if (preset == "chain") {
    GENOSERVE_RETURN_IF_ERROR(CheckChainData(manifest));
  } else {
    GENOSERVE_RETURN_IF_ERROR(acgan ? CheckAcganData(manifest) : CheckWganGpData(manifest));
  }
  manifest.mutable_generator()->Clear();
  manifest.mutable_training()->mutable_recipe()->Clear();
  manifest.mutable_training()->mutable_recipe()->set_preset(std::string(preset));
  if (preset == "chain") FillChain(manifest);
  if (preset == "acgan") FillAcgan(manifest);
  if (preset == "acgan-paper") FillAcganPaper(manifest);
  if (preset == "wgan-gp") FillWganGp(manifest);
  if (preset == "wgan-gp-paper") FillWganGpPaper(manifest);
  return absl::OkStatus();
}

}  // namespace genoserve
