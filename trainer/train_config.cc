#include "trainer/train_config.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/model/chain_generator.h"
#include "core/model/generator.h"
#include "core/model/weights.h"
#include "core/quality/holdout.h"
#include "core/store/checkpoint_store.h"
#include "trainer/chain/chain_recipe.h"
#include "trainer/config_field.h"
#include "trainer/objective/recipe.h"

namespace genoserve {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Reflection;

constexpr int kValidations = 8;
constexpr int kMostValidations = 1000;
constexpr int kMostNudges = 64;

// All that is wrong with a configuration.
class Problems {
 public:
  template <typename... Parts>
  void Add(const Parts&... parts) {
    texts_.push_back(absl::StrCat(parts...));
  }
  void AddIfBad(const absl::Status& status) {
    if (!status.ok()) texts_.emplace_back(status.message());
  }
  void AddIfOutside(absl::string_view setting, double value, double lowest, double highest) {
    if (!(value >= lowest && value <= highest)) {
      Add(setting, " is ", value, "; allowed is ", lowest, " to ", highest);
    }
  }
  absl::Status ToStatus() const {
    if (texts_.empty()) return absl::OkStatus();
    if (texts_.size() == 1) return absl::InvalidArgumentError(texts_.front());
    return absl::InvalidArgumentError(
        absl::StrCat(texts_.size(), " settings cannot be used:\n  ", absl::StrJoin(texts_, "\n  ")));
  }

 private:
  std::vector<std::string> texts_;
};

void CheckArch(const v1::TrainConfig& config, Problems& problems) {
  const std::vector<std::string> presets = PresetNames();
  if (std::find(presets.begin(), presets.end(), config.arch()) == presets.end()) {
    const bool given = !config.arch().empty();
    problems.Add(given ? absl::StrCat("there is no --arch \"", config.arch(), "\"") : "--arch is needed",
                 "; there are ", absl::StrJoin(presets, ", "));
  }
  v1::TrainingRecipe recipe = config.recipe();
  recipe.clear_preset();
  const v1::TrainSchedule& schedule = config.schedule();
  if (IsChain(config) && (schedule.steps() > 0 || schedule.max_seconds() > 0 || schedule.validations() > 1 ||
                          schedule.patience() > 0 || recipe.ByteSizeLong() > 0)) {
    problems.Add(
        "--steps, --max-seconds, --validations, --patience, --batch-size and recipe are not for arch chain: it is ",
        "whole or of no use, is validated at its end, and its settings are those of chain");
  }
  const std::string& preset = config.recipe().preset();
  if (!preset.empty() && preset != config.arch()) {
    problems.Add("recipe.preset is \"", preset, "\", but arch is \"", config.arch(), "\"; leave it out");
  }
}

// The sizes that a configuration sets, by the limits of a generator of one variant: those of the data are not known
// yet.
void CheckSizes(const v1::TrainConfig& config, Problems& problems) {
  const auto check = [&](const char* field, bool given, bool ours) {
    if (!given) return;
    if (!ours) {
      problems.Add(field, " holds settings of another arch than \"", config.arch(), "\"; leave it out");
      return;
    }
    v1::Manifest example;
    example.set_variant_count(1);
    if (absl::StartsWith(config.arch(), "acgan")) {
      example.set_phased(true);
      example.add_labels();
    } else {
      example.add_phenotypes()->mutable_continuous();
    }
    absl::Status status = FillManifest(config, example);
    if (status.ok()) status = IsChain(config) ? CheckChainSpec(example) : ShapeOfGenerator(example).status();
    if (!status.ok()) problems.Add(field, ".", absl::StripPrefix(status.message(), "generator spec: "));
  };
  check("chain", config.has_chain(), IsChain(config));
  check("acgan", config.has_acgan(), absl::StartsWith(config.arch(), "acgan"));
  check("wgan_gp", config.has_wgan_gp(), absl::StartsWith(config.arch(), "wgan-gp"));
  if (config.wgan_gp().condition_size() != 0) {
    problems.Add("wgan_gp.condition_size follows from the phenotypes; leave it out");
  }
}

void CheckInput(const v1::TrainConfig& config, Problems& problems) {
  const v1::TrainInput& input = config.input();
  problems.AddIfBad(SourceOf(input).status());
  problems.AddIfBad(CheckHoldoutShare("--holdout", input.holdout_share()));
  if (input.min_label_samples() < 0) problems.Add("input.min_label_samples must be at least 0 (0 = 2)");
  const bool names = !input.pheno_names().empty();
  if (input.pheno().empty() && (names || !input.categorical().empty())) {
    problems.Add("--pheno-name and --categorical need --pheno");
  }
  if (!input.pheno().empty() && !names) problems.Add("--pheno needs --pheno-name, the columns to condition on");
  const bool labels = !input.panel().empty() || !input.label_column().empty();
  if (IsChain(config) && labels == !input.pheno().empty()) {
    problems.Add(
        "chain is conditioned on population labels (--panel and --label-column) or on phenotypes (--pheno and ",
        "--pheno-name): give one of the two");
  } else if (MakesDiploids(config)) {
    if (!labels) return;
    problems.Add(config.arch(),
                 " is conditioned on phenotypes, not on labels of a panel; a column of the panel can be one: --pheno "
                 "PANEL --pheno-name COLUMN");
  } else if (!input.pheno().empty()) {
    problems.Add(config.arch(),
                 " is conditioned on population labels, not on phenotypes; use --panel and --label-column, or --arch "
                 "wgan-gp");
  } else if (!config.arch().empty() && (input.panel().empty() || input.label_column().empty())) {
    problems.Add(config.arch(), " needs --panel and --label-column");
  }
}

void CheckSchedule(const v1::TrainSchedule& schedule, Problems& problems) {
  constexpr double kLongest = 1e9;  // seconds
  problems.AddIfBad(ParseDeviceChoice(schedule.device()).status());
  if (schedule.steps() < 0) problems.Add("schedule.steps must be at least 0 (0 = by arch)");
  problems.AddIfOutside("--max-seconds (0 = no limit)", schedule.max_seconds(), 0, kLongest);
  problems.AddIfOutside("schedule.checkpoint_seconds", schedule.checkpoint_seconds(), 0, kLongest);
  problems.AddIfOutside("--validations", schedule.validations(), 0, kMostValidations);
  problems.AddIfOutside("--patience (0 = never)", schedule.patience(), 0, kMostValidations);
  problems.AddIfOutside("--metrics-port (0 = none)", schedule.metrics_port(), 0, 65535);
}

void CheckOutput(const v1::TrainOutput& output, Problems& problems) {
  if (output.model().empty()) {
    problems.Add("--model is needed: the name to publish under");
  } else {
    problems.AddIfBad(ValidateModelName(output.model()));
  }
  if (output.store().empty()) problems.Add("--store is needed: the folder to publish in");
  problems.AddIfOutside("--nudge, number of servers,", output.nudge_size(), 0, kMostNudges);
}

bool IsZero(const google::protobuf::Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return !reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.GetDouble(message, &field) == 0;
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field) == 0;
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field) == 0;
    default:
      return false;
  }
}

// 0 is written as absent, so that the settings of a manifest have one form, however they came about.
void ClearZeros(google::protobuf::Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->has_presence() && IsZero(message, *field)) reflection.ClearField(&message, field);
  }
}

}  // namespace

void FillDefaults(v1::TrainConfig& config) {
  if (!config.input().has_holdout_share()) config.mutable_input()->set_holdout_share(kHoldoutShare);
  if (config.schedule().device().empty()) config.mutable_schedule()->set_device("auto");
  if (!config.schedule().has_checkpoint_seconds()) config.mutable_schedule()->set_checkpoint_seconds(60);
  if (config.schedule().metrics_host().empty()) config.mutable_schedule()->set_metrics_host("127.0.0.1");
  if (config.schedule().validations() == 0) {
    config.mutable_schedule()->set_validations(config.schedule().quick() || IsChain(config) ? 1 : kValidations);
  }
  if (config.output().gate().empty()) config.mutable_output()->set_gate("default");
}

absl::Status CheckTrainConfig(const v1::TrainConfig& config) {
  Problems problems;
  CheckArch(config, problems);
  CheckSizes(config, problems);
  CheckInput(config, problems);
  CheckSchedule(config.schedule(), problems);
  CheckOutput(config.output(), problems);
  return problems.ToStatus();
}

absl::Status FillManifest(const v1::TrainConfig& config, v1::Manifest& manifest) {
  GENOSERVE_RETURN_IF_ERROR(ApplyPreset(config.arch(), manifest));
  v1::GeneratorSpec& generator = *manifest.mutable_generator();
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  Overlay(config.recipe(), recipe);
  ClearZeros(recipe);
  if (config.has_chain()) {
    Overlay(config.chain(), *generator.mutable_chain());
    ClearZeros(*generator.mutable_chain());
  }
  if (config.has_acgan()) {
    Overlay(config.acgan(), *generator.mutable_acgan());
    ClearZeros(*generator.mutable_acgan());
  }
  if (config.has_wgan_gp()) {
    Overlay(config.wgan_gp(), *generator.mutable_wgan_gp());
    ClearZeros(*generator.mutable_wgan_gp());
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
  if (!input.vcf().empty()) return GenotypeSource{GenotypeSource::Format::kVcf, input.vcf(), "", ""};
  if (!input.hapt().empty()) return GenotypeSource{GenotypeSource::Format::kHapt, input.hapt(), input.legend(), ""};
  return GenotypeSource{GenotypeSource::Format::kBed, std::string(absl::StripSuffix(input.bfile(), ".bed")), "", ""};
}

absl::StatusOr<std::vector<std::string>> InputFiles(const v1::TrainInput& input) {
  GENOSERVE_ASSIGN_OR_RETURN(const GenotypeSource source, SourceOf(input));
  std::vector<std::string> files = FilesOf(source);
  for (const std::string& file : {input.panel(), input.pheno()}) {
    if (!file.empty()) files.push_back(file);
  }
  return files;
}

bool MakesDiploids(const v1::TrainConfig& config) {
  return absl::StartsWith(config.arch(), "wgan-gp") || (IsChain(config) && !config.input().pheno().empty());
}

bool IsChain(const v1::TrainConfig& config) { return config.arch() == "chain"; }

double MostSeconds(const v1::TrainConfig& config) {
  const v1::TrainSchedule& schedule = config.schedule();
  if (schedule.max_seconds() > 0) return schedule.max_seconds();
  return schedule.quick() && !IsChain(config) ? kQuickSeconds : 0;
}

std::string DefaultCheckpointFolder(const v1::TrainConfig& config) {
  const std::string& store = config.output().store();
  return absl::StrContains(store, "://") ? ".checkpoints" : JoinPath(store, ".checkpoints");
}

std::string CheckpointPath(const v1::TrainConfig& config) {
  if (!config.schedule().checkpoint().empty()) return config.schedule().checkpoint();
  return JoinPath(DefaultCheckpointFolder(config), config.output().model() + ".ckpt");
}

int64_t DefaultSteps(const v1::Manifest& manifest, bool quick) {
  if (manifest.generator().has_chain()) return ChainSteps(manifest);
  const v1::TrainingRecipe& recipe = manifest.training().recipe();
  const bool diploid = absl::StartsWith(recipe.preset(), "wgan-gp");
  if (quick) return 300;
  if (!absl::EndsWith(recipe.preset(), "-paper")) return diploid ? 1000 : 3000;
  // Genome-AC-GAN: 10,001 epochs of haplotypes; DiscreteGenoGen: 1,000 of samples. One generator step a batch.
  const int64_t rows = manifest.training().samples() * (diploid ? 1 : 2);
  return (diploid ? 1000 : 10001) * std::max<int64_t>(1, rows / std::max(1, recipe.batch_size()));
}

}  // namespace genoserve
