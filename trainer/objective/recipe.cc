#include "trainer/objective/recipe.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/model/weights.h"
#include "trainer/chain/chain_recipe.h"
#include "trainer/objective/adversarial_recipe.h"
#include "trainer/objective/learning_rate.h"
#include "trainer/objective/optimizer.h"

namespace genoserve {
namespace {

absl::Status CheckRange(const char* setting, double value, double lowest, double highest) {
  if (value >= lowest && value <= highest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("setting ", setting, " is ", value, "; it must be ", lowest, " to ", highest));
}

absl::Status CheckSettings(const v1::TrainingRecipe& recipe) {
  GENOSERVE_RETURN_IF_ERROR(CheckRange("batch_size", recipe.batch_size(), 2, 65536));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("generator_learning_rate", recipe.generator_learning_rate(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("critic_learning_rate", recipe.critic_learning_rate(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("adam_beta1", recipe.adam_beta1(), 0, 0.99999));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("adam_beta2", recipe.adam_beta2(), 0, 0.99999));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("critic_steps", recipe.critic_steps(), 1, 100));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("critic_hidden_sizes, number of,", recipe.critic_hidden_sizes_size(), 1, 16));
  for (const int size : recipe.critic_hidden_sizes()) {
    GENOSERVE_RETURN_IF_ERROR(CheckRange("critic_hidden_sizes", size, 1, 1 << 22));
  }
  for (const double rate : recipe.critic_dropout())
    GENOSERVE_RETURN_IF_ERROR(CheckRange("critic_dropout", rate, 0, 0.99));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("gradient_penalty", recipe.gradient_penalty(), 0, 1e6));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("weight_decay", recipe.weight_decay(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("classifier_weight", recipe.classifier_weight(), 0, 1e6));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("polyloss_epsilon", recipe.polyloss_epsilon(), -1, 1e6));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("label_smoothing", recipe.label_smoothing(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("temperature_start", recipe.temperature_start(), 1e-3, 1e3));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("temperature_end", recipe.temperature_end(), 1e-3, 1e3));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("average_decay", recipe.average_decay(), 0, 0.999999));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("input_noise", recipe.input_noise(), 0, 0.3));
  GENOSERVE_RETURN_IF_ERROR(CheckRange("gradient_clip", recipe.gradient_clip(), 0, 1e9));
  GENOSERVE_RETURN_IF_ERROR(CheckOptimizer(recipe));
  GENOSERVE_RETURN_IF_ERROR(CheckLearningRate(recipe));
  return CheckRange("target_noise", recipe.target_noise(), 0, 0.5);
}

// Settings that start from the data or calibrate need the layers that they set.
absl::Status CheckLayers(const v1::Manifest& manifest) {
  const v1::TrainingRecipe& recipe = manifest.training().recipe();
  const auto check = [&](const auto& spec) -> absl::Status {
    if (recipe.start_from_data() && (!spec.latent_skip() || spec.latent_size() < spec.rank())) {
      return absl::InvalidArgumentError(
          "setting start_from_data needs a rank layer, latent_skip, and a latent_size of at least the rank");
    }
    return absl::OkStatus();
  };
  if (recipe.balanced_labels() && manifest.labels().empty()) {
    return absl::InvalidArgumentError("setting balanced_labels needs labels, the training has none");
  }
  if (!manifest.generator().has_acgan()) return check(manifest.generator().wgan_gp());
  const v1::AcganSpec& spec = manifest.generator().acgan();
  GENOSERVE_RETURN_IF_ERROR(check(spec));
  if ((recipe.start_from_data() || recipe.calibrate()) &&
      (!spec.label_logits() || spec.output() != v1::ALLELE_OUTPUT_BERNOULLI)) {
    return absl::InvalidArgumentError(
        "settings start_from_data and calibrate need label_logits and a BERNOULLI output");
  }
  return absl::OkStatus();
}

absl::Status CheckData(const v1::Manifest& manifest, const GeneratorShape& shape, const TrainingSet& data) {
  const size_t samples = data.genotypes.samples();
  if (data.genotypes.packing() != shape.packing || data.genotypes.variants() != shape.variants || samples < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the training set must have at least 2 samples in the generator's packing and its ", shape.variants,
        " variants; it has ", samples, " samples and ", data.genotypes.variants(), " variants"));
  }
  if (data.phenotypes.size() != static_cast<size_t>(manifest.phenotypes_size())) {
    return absl::InvalidArgumentError("the training set has not the phenotypes of the manifest");
  }
  for (const auto& values : data.phenotypes) {
    if (values.size() != samples) return absl::InvalidArgumentError("a phenotype of the training set lacks samples");
  }
  if (!manifest.labels().empty() && data.labels.size() != samples) {
    return absl::InvalidArgumentError("the labels of the training set lack samples");
  }
  for (const int label : data.labels) {
    if (label < 0 || label >= manifest.labels_size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("label index ", label, " in a training set of ", manifest.labels_size(), " labels"));
    }
  }
  return absl::OkStatus();
}

// Each process needs rows of its own.
absl::Status CheckShares(const v1::TrainingRecipe& recipe, const RecipeSetup& setup) {
  if (setup.group == nullptr || recipe.batch_size() >= setup.group->size()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("setting batch_size is ", recipe.batch_size(), ", too small for ",
                                                 setup.group->size(), " processes, which share each batch"));
}

// Settings that not every recipe or group has.
absl::Status CheckSupport(const v1::Manifest& manifest, const RecipeSetup& setup) {
  const v1::TrainingRecipe& recipe = manifest.training().recipe();
  if (recipe.minibatch_deviation() && manifest.generator().has_acgan()) {
    return absl::InvalidArgumentError(
        "setting minibatch_deviation is for wgan-gp: a step of acgan's discriminator mixes real and generated rows");
  }
  if (recipe.minibatch_deviation() && setup.group != nullptr && setup.group->size() > 1) {
    return absl::InvalidArgumentError(
        "setting minibatch_deviation needs one process: it is taken over the rows that a process has");
  }
  const bool bf16 = recipe.precision() == "bf16";
  if (!recipe.precision().empty() && recipe.precision() != "fp32" && !bf16) {
    return absl::InvalidArgumentError(
        absl::StrCat("setting precision is \"", recipe.precision(), "\"; it must be fp32 or bf16"));
  }
  if (bf16 && !manifest.generator().has_acgan()) {
    return absl::InvalidArgumentError("setting precision is \"bf16\"; wgan-gp trains in fp32");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Recipe>> MakeRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                   const RecipeSetup& setup) {
  if (manifest.generator().has_chain()) return MakeChainRecipe(manifest, data, setup);
  GENOSERVE_ASSIGN_OR_RETURN(const GeneratorShape shape, ShapeOfGenerator(manifest));
  GENOSERVE_RETURN_IF_ERROR(CheckSettings(manifest.training().recipe()));
  GENOSERVE_RETURN_IF_ERROR(CheckLayers(manifest));
  GENOSERVE_RETURN_IF_ERROR(CheckData(manifest, shape, data));
  GENOSERVE_RETURN_IF_ERROR(CheckShares(manifest.training().recipe(), setup));
  GENOSERVE_RETURN_IF_ERROR(CheckSupport(manifest, setup));
  std::unique_ptr<Recipe> recipe;
  if (manifest.generator().has_acgan()) {
    GENOSERVE_ASSIGN_OR_RETURN(recipe, MakeAcganRecipe(manifest, data, setup));
  } else {
    GENOSERVE_ASSIGN_OR_RETURN(recipe, MakeWganGpRecipe(manifest, data, setup));
  }
  if (setup.group == nullptr || setup.group->size() == 1) return recipe;
  // Machines of different kinds round differently: all begin with the weights of process 0.
  GENOSERVE_ASSIGN_OR_RETURN(const std::string state, recipe->SaveState());
  GENOSERVE_RETURN_IF_ERROR(recipe->RestoreState(state));
  return recipe;
}

}  // namespace genoserve
