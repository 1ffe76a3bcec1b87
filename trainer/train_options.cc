#include "trainer/train_options.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/store/checkpoint_store.h"
#include "trainer/exit_code.h"
#include "trainer/objective/recipe.h"

namespace genoserve {
namespace {

constexpr char kExamples[] =
    "Haplotypes by population label (acgan), or diploid genotypes by phenotypes (wgan-gp); with -paper, by the\n"
    "published settings, which take hours. Ctrl-C writes a checkpoint and stops; the same command with --resume goes "
    "on, and\n"
    "begins anew where there is no checkpoint. A finished training is measured, and published if it is good enough.\n\n"
    "Examples:\n"
    "  genoserve-trainer train --arch acgan --vcf panel.vcf.gz --panel panel.tsv --label-column super_pop \\\n"
    "    --store store --create-store --model five\n"
    "  genoserve-trainer train --arch wgan-gp --bfile mice --pheno mice.pheno.tsv \\\n"
    "    --pheno-name coat_colour,sex,body_weight --categorical sex --store store --model mice --seed 7\n\n";

// An option that takes a whole number. CLI11 itself wraps numbers round that are out of range.
template <typename Number>
CLI::Option* AddNumber(CLI::App& command, const std::string& name, Number& target, Number lowest,
                       const std::string& help) {
  const auto read = [name, &target, lowest](const std::string& text) {
    Number number = 0;
    if (!absl::SimpleAtoi(text, &number) || number < lowest) {
      throw CLI::ValidationError(absl::StrCat(name, ": \"", text, "\" is not a whole number from ", lowest, " to ",
                                              std::numeric_limits<Number>::max()));
    }
    target = number;
  };
  return command.add_option_function<std::string>(name, read, help);
}

void AddInput(CLI::App& command, TrainArguments& arguments) {
  AddGenotypeOptions(command, arguments.genotypes);
  command.add_option("--panel", arguments.panel, "population labels of the samples")->type_name("FILE")->group("Input");
  command.add_option("--label-column", arguments.label_column, "column of --panel")
      ->type_name("COLUMN")
      ->group("Input");
  command.add_option("--pheno", arguments.phenotypes, "phenotypes of the samples")->type_name("FILE")->group("Input");
  command.add_option("--pheno-name", arguments.phenotype_names, "columns of --pheno")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->group("Input");
  command.add_option("--categorical", arguments.categorical, "columns of --pheno whose numbers are levels")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->group("Input");
}

void AddTraining(CLI::App& command, TrainArguments& arguments) {
  command.add_option("--arch", arguments.preset, absl::StrJoin(PresetNames(), ", "))
      ->type_name("NAME")
      ->required()
      ->group("Training");
  AddNumber<int64_t>(command, "--steps", arguments.steps, 1, "generator steps; default: by --arch")
      ->type_name("COUNT")
      ->group("Training");
  AddNumber<uint64_t>(command, "--seed", arguments.seed, 0, "of all that is drawn; default 0")
      ->type_name("INT")
      ->group("Training");
  AddNumber<int32_t>(command, "--batch-size", arguments.batch_size, 2, "rows of one step; default: by --arch")
      ->type_name("ROWS")
      ->group("Training");
  command.add_option("--max-seconds", arguments.max_seconds, "train no longer, and publish what there is then")
      ->type_name("SECONDS")
      ->group("Training");
  command
      .add_flag("--quick", arguments.quick,
                absl::StrCat("fewer steps, and at most ", kQuickSeconds, " seconds of training"))
      ->group("Training");
  command.add_option("--device", arguments.device, "auto, cpu or cuda; default auto")
      ->type_name("DEVICE")
      ->group("Training");
  command
      .add_option("--checkpoint", arguments.checkpoint,
                  "written each minute and on Ctrl-C; default: STORE/.checkpoints/MODEL.ckpt")
      ->type_name("FILE")
      ->group("Training");
  command
      .add_option("--holdout", arguments.holdout_share,
                  "share of the samples kept apart to judge by, per label, relatives together; default 0.2")
      ->type_name("SHARE")
      ->group("Quality");
  command.add_option("--gate", arguments.gate, "limits that the figures must keep; default: the built-in ones")
      ->type_name("FILE")
      ->group("Quality");
  command
      .add_flag("--publish-anyway", arguments.publish_anyway,
                "publish what breaks the gate; the manifest tells that it does")
      ->group("Quality");
  command.add_flag("--resume", arguments.resume, "go on from the checkpoint, if there is one")->group("Training");
}

void AddOutput(CLI::App& command, TrainArguments& arguments) {
  command.add_option("--store", arguments.store, "folder to publish in")->type_name("DIR")->required()->group("Output");
  command.add_flag("--create-store", arguments.create_store, "make the folder if it is not there")->group("Output");
  command.add_option("--model", arguments.model, "name of the model; the next free version is published")
      ->type_name("NAME")
      ->required()
      ->group("Output");
  command.add_option("--licence", arguments.licence, "of the artifact, for the manifest")
      ->type_name("TEXT")
      ->group("Output");
  command.add_option("--data-terms", arguments.data_terms, "terms of the training data, for the manifest")
      ->type_name("TEXT")
      ->group("Output");
  command.add_option("--description", arguments.description, "for the manifest")->type_name("TEXT")->group("Output");
}

}  // namespace

CLI::App* AddTrainCommand(CLI::App& app, TrainArguments& arguments) {
  CLI::App* command = app.add_subcommand("train", "Train a generator on real genotypes and publish it");
  AddInput(*command, arguments);
  AddTraining(*command, arguments);
  AddOutput(*command, arguments);
  command->footer(absl::StrCat(kExamples, kExitCodeHelp));
  return command;
}

absl::Status CheckTrainArguments(const TrainArguments& arguments) {
  const std::vector<std::string> presets = PresetNames();
  if (std::find(presets.begin(), presets.end(), arguments.preset) == presets.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no --arch \"", arguments.preset, "\"; there are ", absl::StrJoin(presets, ", ")));
  }
  GENOSERVE_RETURN_IF_ERROR(ValidateModelName(arguments.model));
  GENOSERVE_RETURN_IF_ERROR(ParseDeviceChoice(arguments.device).status());
  GENOSERVE_RETURN_IF_ERROR(SourceOf(arguments.genotypes).status());
  if (!(arguments.max_seconds >= 0) || std::isinf(arguments.max_seconds)) {
    return absl::InvalidArgumentError("--max-seconds must be a number of seconds of at least 0 (0 = no limit)");
  }
  GENOSERVE_RETURN_IF_ERROR(CheckHoldoutShare("--holdout", arguments.holdout_share));
  if (arguments.phenotypes.empty() && !(arguments.phenotype_names.empty() && arguments.categorical.empty())) {
    return absl::InvalidArgumentError("--pheno-name and --categorical need --pheno");
  }
  if (!arguments.phenotypes.empty() && arguments.phenotype_names.empty()) {
    return absl::InvalidArgumentError("--pheno needs --pheno-name, the columns to condition on");
  }
  if (IsDiploidPreset(arguments.preset)) {
    if (arguments.panel.empty() && arguments.label_column.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        arguments.preset,
        " is conditioned on phenotypes, not on labels of a panel; a column of the panel can be one: --pheno PANEL "
        "--pheno-name COLUMN"));
  }
  if (!arguments.phenotypes.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.preset,
                     " is conditioned on population labels, not on phenotypes; use --panel and "
                     "--label-column, or --arch wgan-gp"));
  }
  if (arguments.panel.empty() || arguments.label_column.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(arguments.preset, " needs --panel and --label-column"));
  }
  return absl::OkStatus();
}

bool IsDiploidPreset(absl::string_view preset) { return absl::StartsWith(preset, "wgan-gp"); }

std::string DefaultCheckpoint(const TrainArguments& arguments) {
  return JoinPath(JoinPath(arguments.store, ".checkpoints"), arguments.model + ".ckpt");
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
