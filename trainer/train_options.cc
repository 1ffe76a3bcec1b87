#include "trainer/train_options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "trainer/config_field.h"
#include "trainer/config_file.h"
#include "trainer/exit_code.h"
#include "trainer/objective/recipe.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

constexpr char kExamples[] =
    "Haplotypes by population label (chain, acgan), or diploid genotypes by phenotypes (chain, wgan-gp); with -paper, "
    "by\n"
    "the published settings, which take hours. Ctrl-C writes a checkpoint and stops; the same command with --resume "
    "goes\n"
    "on, and begins anew where there is no checkpoint. A finished training is measured, and published if it is good\n"
    "enough.\n\n"
    "Examples:\n"
    "  genoserve-trainer train --arch chain --vcf panel.vcf.gz --panel panel.tsv --label-column super_pop \\\n"
    "    --store store --create-store --model five\n"
    "  genoserve-trainer train --arch wgan-gp --bfile mice --pheno mice.pheno.tsv \\\n"
    "    --pheno-name coat_colour,sex,body_weight --categorical sex --store store --model mice --seed 7\n"
    "  genoserve-trainer train --config five.txtpb --watch --resume --nudge genoserve:50051\n\n";

constexpr char kSweepExamples[] =
    "Trains once for each combination of the values of the axes in the file, one after another, and prints a table,\n"
    "best first, which is in DIR/sweep.tsv too. The same command goes on where it was stopped; what is finished is "
    "not\n"
    "trained again. An axis in the file:\n\n"
    "  sweep { field: \"recipe.batch_size\" values: [\"64\", \"256\"] }\n\n"
    "Examples:\n"
    "  genoserve-trainer sweep --config sweep.txtpb --out runs\n"
    "  genoserve-trainer sweep --config sweep.txtpb --out runs --publish-best\n\n";

constexpr char kConfigExamples[] =
    "The output is a file for --config. Flags win over the file, field by field.\n\n"
    "Examples:\n"
    "  genoserve-trainer config --arch acgan --vcf panel.vcf.gz --panel panel.tsv --label-column super_pop \\\n"
    "    --store store --model five > five.txtpb\n"
    "  genoserve-trainer config --config five.txtpb --seed 8\n\n";

constexpr int kNoLowest = -1;

// Flags of one group of the help; each gives one field.
class FlagGroup {
 public:
  FlagGroup(CLI::App& command, TrainOptions& options, std::string group)
      : command_(command), settings_(options.settings), group_(std::move(group)) {}

  // A flag with one value; a number below `lowest` is refused.
  void Value(const std::string& flag, const std::string& field, const std::string& type, const std::string& help,
             int lowest = kNoLowest) {
    const auto take = [this_settings = &settings_, flag, field, lowest](const std::string& text) {
      double number = 0;
      if (lowest != kNoLowest && absl::SimpleAtod(text, &number) && number < lowest) {
        throw CLI::ValidationError(absl::StrCat(flag, ": \"", text, "\" is not a whole number from ", lowest));
      }
      this_settings->push_back({flag, field, {text}});
    };
    command_.add_option_function<std::string>(flag, take, help)->type_name(type)->group(group_);
  }

  // A flag with a list, which takes the place of the field's.
  void List(const std::string& flag, const std::string& field, const std::string& type, const std::string& help) {
    const auto take = [this_settings = &settings_, flag, field](const std::vector<std::string>& values) {
      this_settings->push_back({flag, field, values});
    };
    command_.add_option_function<std::vector<std::string>>(flag, take, help)
        ->delimiter(',')
        ->type_name(type)
        ->group(group_);
  }

  // A flag without a value; FLAG=false takes back what a file says.
  void Switch(const std::string& flag, const std::string& field, const std::string& help) {
    const auto take = [this_settings = &settings_, flag, field](int64_t count) {
      this_settings->push_back({flag, field, {count > 0 ? "true" : "false"}});
    };
    command_.add_flag_function(flag, take, help)->group(group_);
  }

 private:
  CLI::App& command_;
  std::vector<FlagSetting>& settings_;
  const std::string group_;
};

void AddInput(CLI::App& command, TrainOptions& options) {
  FlagGroup input(command, options, "Input");
  input.Value("--vcf", "input.vcf", "FILE", "VCF, VCF.gz or BCF");
  input.Value("--bfile", "input.bfile", "PREFIX", "PLINK 1 .bed, .bim and .fam");
  input.Value("--hapt", "input.hapt", "FILE", "haplotypes, one a line; needs --legend");
  input.Value("--legend", "input.legend", "FILE", "variants of --hapt");
  input.Value("--panel", "input.panel", "FILE", "population labels of the samples");
  input.Value("--label-column", "input.label_column", "COLUMN", "column of --panel");
  input.Value("--pheno", "input.pheno", "FILE", "phenotypes of the samples");
  input.List("--pheno-name", "input.pheno_names", "NAME,...", "columns of --pheno");
  input.List("--categorical", "input.categorical", "NAME,...", "columns of --pheno whose numbers are levels");
  input.List("--log-scale", "input.log_scale", "NAME,...", "columns whose logarithms the network sees");
}

void AddTraining(CLI::App& command, TrainOptions& options) {
  FlagGroup training(command, options, "Training");
  training.Value("--arch", "arch", "NAME", absl::StrJoin(PresetNames(), ", "));
  training.Value("--steps", "schedule.steps", "COUNT", "generator steps; default: by --arch", 1);
  training.Value("--seed", "schedule.seed", "INT", "of all that is drawn; default 0");
  training.Value("--batch-size", "recipe.batch_size", "ROWS", "rows of one step; default: by --arch", 2);
  training.Value("--max-seconds", "schedule.max_seconds", "SECONDS", "train no longer, and publish what there is then");
  training.Switch("--quick", "schedule.quick",
                  absl::StrCat("fewer steps, and at most ", kQuickSeconds, " seconds of training"));
  training.Value("--device", "schedule.device", "DEVICE", "auto, cpu or cuda; default auto");
  training.Value(
      "--checkpoint", "schedule.checkpoint", "FILE",
      "written each minute and on Ctrl-C; default: STORE/.checkpoints/MODEL.ckpt, of a bucket .checkpoints/MODEL.ckpt");
  training.Value("--validations", "schedule.validations", "COUNT",
                 "during the training, at even spaces; default 8, with --quick 1");
  training.Value("--patience", "schedule.patience", "COUNT",
                 "validations without a better one after which the training ends; default: never");
  training.Value("--metrics-port", "schedule.metrics_port", "PORT", "of /metrics; default: none");
  training.Value("--metrics-host", "schedule.metrics_host", "HOST", "address of --metrics-port; default: 127.0.0.1");
  training.Value("--tensorboard", "schedule.tensorboard", "DIR", "for event files; default: none");
}

// What --config is, in every command.
void AddConfigFile(CLI::App& command, TrainOptions& options) {
  command.add_option("--config", options.config, "configuration in protobuf text form; flags win over it")
      ->type_name("FILE")
      ->group("Input");
}

void AddNudge(CLI::App& command, TrainOptions& options) {
  FlagGroup nudge(command, options, "Servers");
  nudge.List("--nudge", "output.nudge", "HOST:PORT,...", "told to look at the store once a version is published");
  nudge.Value("--token-file", "output.nudge_access.token_file", "FILE",
              "file with the token; default: GENOSERVE_TOKEN");
  nudge.Value("--tls-ca", "output.nudge_access.tls_ca", "FILE",
              "PEM file of the authorities to trust; default: the system's");
  nudge.Value("--tls-cert", "output.nudge_access.tls_certificate", "FILE", "PEM file of the trainer's certificate");
  nudge.Value("--tls-key", "output.nudge_access.tls_key", "FILE", "PEM file of its key");
  nudge.Switch("--insecure", "output.nudge_access.insecure", "plain text also off loopback");
}

void AddOutput(CLI::App& command, TrainOptions& options) {
  FlagGroup quality(command, options, "Quality");
  quality.Value("--holdout", "input.holdout_share", "SHARE",
                "share of the samples kept apart to judge by, per label, relatives together; default 0.2");
  quality.Value("--gate", "output.gate", "FILE", "limits that the figures must keep; default: the built-in ones");
  quality.Switch("--publish-anyway", "output.publish_anyway",
                 "publish what breaks the gate; the manifest tells that it does");
  FlagGroup output(command, options, "Output");
  output.Value("--store", "output.store", "DIR", "folder to publish in");
  output.Switch("--create-store", "output.create_store", "make the folder if it is not there");
  output.Value("--model", "output.model", "NAME", "name of the model; the next free version is published");
  output.Value("--licence", "output.licence", "TEXT", "of the artifact, for the manifest");
  output.Value("--data-terms", "output.data_terms", "TEXT", "terms of the training data, for the manifest");
  output.Value("--description", "output.description", "TEXT", "for the manifest");
}

// All flags that set fields.
void AddConfiguration(CLI::App& command, TrainOptions& options) {
  AddConfigFile(command, options);
  AddInput(command, options);
  AddTraining(command, options);
  AddOutput(command, options);
  AddNudge(command, options);
}

}  // namespace

CLI::App* AddTrainCommand(CLI::App& app, TrainOptions& options) {
  CLI::App* command = app.add_subcommand("train", "Train a generator on real genotypes and publish it");
  AddConfiguration(*command, options);
  command->add_flag("--resume", options.start.resume, "go on from the checkpoint, if there is one")->group("Training");
  command
      ->add_flag(
          "--watch", options.start.watch,
          "train only where data or settings are not those of the newest version; for a job that runs by the clock")
      ->group("Training");
  command->footer(absl::StrCat(kExamples, kExitCodeHelp));
  return command;
}

CLI::App* AddSweepCommand(CLI::App& app, TrainOptions& options) {
  CLI::App* command = app.add_subcommand("sweep", "Train over a small grid of settings and compare what comes out");
  AddConfiguration(*command, options);
  command->add_option("--out", options.sweep.folder, "folder for the runs; default: sweep")
      ->type_name("DIR")
      ->group("Output");
  command
      ->add_flag("--publish-best", options.sweep.publish_best,
                 "publish the best run that passes the gate; otherwise nothing is published")
      ->group("Output");
  command->footer(absl::StrCat(kSweepExamples, kExitCodeHelp));
  return command;
}

CLI::App* AddConfigCommand(CLI::App& app, TrainOptions& options) {
  CLI::App* command = app.add_subcommand("config", "Print the configuration that flags and file make");
  AddConfiguration(*command, options);
  command->footer(absl::StrCat(kConfigExamples, kExitCodeHelp));
  return command;
}

absl::StatusOr<v1::TrainConfig> ConfigOf(const TrainOptions& options) {
  v1::TrainConfig config;
  if (!options.config.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(config, ReadConfigFile(options.config));
  }
  for (const FlagSetting& setting : options.settings) {
    GENOSERVE_RETURN_IF_ERROR(Annotate(SetField(config, setting.field, setting.values), setting.flag));
  }
  FillDefaults(config);
  GENOSERVE_RETURN_IF_ERROR(CheckTrainConfig(config));
  return config;
}

}  // namespace genoserve
