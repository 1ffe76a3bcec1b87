#include "trainer/train_config.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/quality/holdout.h"
#include "core/store/checkpoint_store.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

void FillDefaults(v1::TrainConfig& config) {
  if (!config.input().has_holdout_share()) config.mutable_input()->set_holdout_share(kHoldoutShare);
  if (config.schedule().device().empty()) config.mutable_schedule()->set_device("auto");
  if (!config.schedule().has_checkpoint_seconds()) config.mutable_schedule()->set_checkpoint_seconds(60);
  if (config.output().gate().empty()) config.mutable_output()->set_gate("default");
}

absl::Status CheckTrainConfig(const v1::TrainConfig& config) {
  const v1::TrainInput& input = config.input();
  const std::vector<std::string> presets = PresetNames();
  if (std::find(presets.begin(), presets.end(), config.arch()) == presets.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no --arch \"", config.arch(), "\"; there are ", absl::StrJoin(presets, ", ")));
  }
  GENOSERVE_RETURN_IF_ERROR(ValidateModelName(config.output().model()));
  if (config.output().store().empty()) return absl::InvalidArgumentError("--store is needed, to publish in");
  GENOSERVE_RETURN_IF_ERROR(ParseDeviceChoice(config.schedule().device()).status());
  GENOSERVE_RETURN_IF_ERROR(SourceOf(input).status());
  if (!(config.schedule().max_seconds() >= 0) || std::isinf(config.schedule().max_seconds())) {
    return absl::InvalidArgumentError("--max-seconds must be a number of seconds of at least 0 (0 = no limit)");
  }
  GENOSERVE_RETURN_IF_ERROR(CheckHoldoutShare("--holdout", input.holdout_share()));
  if (input.pheno().empty() && !(input.pheno_names().empty() && input.categorical().empty())) {
    return absl::InvalidArgumentError("--pheno-name and --categorical need --pheno");
  }
  if (!input.pheno().empty() && input.pheno_names().empty()) {
    return absl::InvalidArgumentError("--pheno needs --pheno-name, the columns to condition on");
  }
  if (IsDiploidPreset(config.arch())) {
    if (input.panel().empty() && input.label_column().empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        config.arch(),
        " is conditioned on phenotypes, not on labels of a panel; a column of the panel can be one: --pheno PANEL "
        "--pheno-name COLUMN"));
  }
  if (!input.pheno().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(config.arch(),
                                                   " is conditioned on population labels, not on phenotypes; use "
                                                   "--panel and --label-column, or --arch wgan-gp"));
  }
  if (input.panel().empty() || input.label_column().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(config.arch(), " needs --panel and --label-column"));
  }
  return absl::OkStatus();
}

absl::StatusOr<GenotypeSource> SourceOf(const v1::TrainInput& input) {
  const int given = static_cast<int>(!input.vcf().empty()) + static_cast<int>(!input.bfile().empty()) +
                    static_cast<int>(!input.hapt().empty());
  if (given != 1) return absl::InvalidArgumentError("give genotypes by one of --vcf, --bfile and --hapt");
  if (input.hapt().empty() != input.legend().empty()) {
    return absl::InvalidArgumentError("--hapt and --legend belong together");
  }
  if (!input.vcf().empty()) return GenotypeSource{GenotypeSource::Format::kVcf, input.vcf(), ""};
  if (!input.hapt().empty()) return GenotypeSource{GenotypeSource::Format::kHapt, input.hapt(), input.legend()};
  return GenotypeSource{GenotypeSource::Format::kBed, std::string(absl::StripSuffix(input.bfile(), ".bed")), ""};
}

bool IsDiploidPreset(absl::string_view preset) { return absl::StartsWith(preset, "wgan-gp"); }

std::string CheckpointPath(const v1::TrainConfig& config) {
  if (!config.schedule().checkpoint().empty()) return config.schedule().checkpoint();
  return JoinPath(JoinPath(config.output().store(), ".checkpoints"), config.output().model() + ".ckpt");
}

int64_t DefaultSteps(const v1::Manifest& manifest, bool quick) {
  const v1::TrainingRecipe& recipe = manifest.training().recipe();
  const bool diploid = IsDiploidPreset(recipe.preset());
  if (quick) return 300;
  if (!absl::EndsWith(recipe.preset(), "-paper")) return diploid ? 1000 : 3000;
  // Genome-AC-GAN: 10,001 epochs of haplotypes; DiscreteGenoGen: 1,000 of samples. One generator step a batch.
  const int64_t rows = manifest.training().samples() * (diploid ? 1 : 2);
  return (diploid ? 1000 : 10001) * std::max<int64_t>(1, rows / std::max(1, recipe.batch_size()));
}

}  // namespace genoserve
