#include "client/cli/app.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/admin.h"
#include "client/cli/convert.h"
#include "client/cli/exit_code.h"
#include "client/cli/fetch.h"
#include "client/cli/help_pages.h"
#include "client/cli/models.h"
#include "client/cli/report.h"
#include "client/cli/store.h"
#include "client/cli/verify.h"
#include "client/lib/client_options.h"
#include "core/base/command_line.h"

namespace genoserve {
namespace {

constexpr char kVersionLine[] = "genoserve " GENOSERVE_VERSION;

constexpr char kExamples[] =
    "Examples:\n"
    "  genoserve models list --server localhost:50051\n"
    "  genoserve fetch five -n 1000 --pop EUR:500,AFR:500 --seed 7 -o cohort.vcf.gz --server localhost:50051\n"
    "  genoserve fetch mice@2 -n 5000 --pheno 'body_weight=normal(24,4)' -o - -O bcf --server localhost:50051 |\n"
    "    bcftools stats -\n\n";

constexpr char kFetchExamples[] =
    "Examples:\n"
    "  genoserve fetch five -n 1000 --pop EUR:500,AFR:500 --seed 7 -o cohort.vcf.gz --server localhost:50051\n"
    "  genoserve fetch five@1 -n 100000 --seed 7 --shard 2/4 -r chr1:1-5000000 -o part2 --server localhost:50051\n"
    "  genoserve fetch mice -n 500 --pheno body_weight=24.5 --pheno coat_colour=black -o mice.bcf \\\n"
    "    --server example.org:443 --token-file token.txt\n\n"
    "Beside the genotypes lie PREFIX.panel.tsv (population labels) and PREFIX.pheno.tsv (phenotypes), where the model\n"
    "has them, and PREFIX.manifest.json, for genoserve verify. A fetch that was stopped goes on when the same command\n"
    "is run again. plink2 cannot read a pipe; bcftools can.\n\n";

constexpr char kVerifyExamples[] =
    "Examples:\n"
    "  genoserve verify cohort.vcf.gz\n"
    "  genoserve verify cohort.manifest.json && plink2 --bfile cohort --freq\n\n";

constexpr char kReportExamples[] =
    "Examples:\n"
    "  genoserve report --train real.vcf.gz --panel panel.tsv --label-column pop \\\n"
    "    --synth cohort.vcf.gz --synth-panel cohort.panel.tsv -o report.html --json quality.json\n"
    "  genoserve report --train mice --pheno mice.pheno.tsv --pheno-name coat_colour,body_weight \\\n"
    "    --synth cohort --synth-pheno cohort.pheno.tsv --gate strict.gate -o report.html\n\n"
    "PATH is FILE.vcf, .vcf.gz, .bcf, .pgen, .hap, .haps, .hapt, .npy or .zarr, else the prefix of .bed/.bim/.fam.\n"
    "Without --holdout a part of the training is kept apart, the same that genoserve-trainer keeps apart of the same "
    "files.\n"
    "The page shows where hold-out people lie among others: hand it on as you would any figure of them.\n\n";

// The arguments of all commands.
struct Arguments {
  ClientOptions client;
  double timeout = 0;  // seconds
  FetchArguments fetch;
  ReportArguments report;
  StoreArguments store;
  ConvertArguments convert;
  AdminArguments admin;
  VerifyArguments verify;
  HelpPageArguments help_pages;
  std::string model;
  std::string regions;
  bool json = false;
};

// An option that takes a whole number. CLI11 itself wraps numbers round that are out of range.
template <typename Number, typename Target>
CLI::Option* AddNumber(CLI::App* command, const std::string& names, Target* target, const std::string& help) {
  const auto read = [names, target](const std::string& text) {
    Number number = 0;
    if (!absl::SimpleAtoi(text, &number)) {
      throw CLI::ValidationError(absl::StrCat(names, ": \"", text, "\" is not a whole number from ",
                                              std::numeric_limits<Number>::min(), " to ",
                                              std::numeric_limits<Number>::max()));
    }
    *target = number;
  };
  return command->add_option_function<std::string>(names, read, help);
}

void AddServerOptions(CLI::App* command, Arguments* arguments) {
  ClientOptions& client = arguments->client;
  command->add_option("--server", client.server, "the server, or replicas of it; default: GENOSERVE_SERVER")
      ->type_name("HOST:PORT,...")
      ->group("Transfer");
  command->add_option("--timeout", arguments->timeout, "give up after this time, retries included; default: never")
      ->type_name("SECONDS")
      ->group("Transfer");
  AddNumber<int32_t>(command, "--retries", &client.retries, "attempts after a failure that waiting can cure; default 6")
      ->type_name("COUNT")
      ->group("Transfer");
  command->add_option("--tls-ca", client.tls_ca, "PEM file of the authorities to trust; default: the system's")
      ->type_name("FILE")
      ->group("Auth");
  command->add_option("--tls-cert", client.tls_certificate, "PEM file of the client's certificate")
      ->type_name("FILE")
      ->group("Auth");
  command->add_option("--tls-key", client.tls_key, "PEM file of its key")->type_name("FILE")->group("Auth");
  command->add_option("--token-file", client.token_file, "file with the token; default: GENOSERVE_TOKEN")
      ->type_name("FILE")
      ->group("Auth");
  command->add_flag("--insecure", client.insecure, "plain text also off loopback")->group("Auth");
}

void AddTraitOptions(CLI::App* command, TraitArguments* trait) {
  const auto number = [command](const char* name, std::optional<double>* target, const char* help) {
    command
        ->add_option_function<double>(
            name, [target](double value) { *target = value; }, help)
        ->type_name("SHARE")
        ->group("Simulated trait");
  };
  command->add_flag("--simulate-pheno", trait->wanted, "add a polygenic trait, its truth in PREFIX.truth.tsv")
      ->group("Simulated trait");
  number("--heritability", &trait->heritability, "share of its variance that genotypes cause; default 0.5");
  number("--prevalence", &trait->prevalence, "share of cases of a case/control trait on top of it");
  AddNumber<int64_t>(command, "--causal", &trait->causal, "variants with an effect; default 10")
      ->type_name("COUNT")
      ->group("Simulated trait");
  AddNumber<uint64_t>(command, "--simulate-seed", &trait->seed, "seed of variants, effects and noise; default: --seed")
      ->type_name("INT")
      ->group("Simulated trait");
}

void AddFetch(CLI::App* app, Arguments* arguments) {
  CLI::App* command = app->add_subcommand("fetch", "Draw a cohort and write it to files");
  FetchArguments& fetch = arguments->fetch;
  command->add_option("model", fetch.model, "model, and version if not the default one")
      ->type_name("NAME[@VERSION]")
      ->required()
      ->group("Input");
  AddNumber<int64_t>(command, "-n,--samples", &fetch.samples, "samples of the cohort")
      ->type_name("COUNT")
      ->group("Selection");
  command->add_option("--pop", fetch.populations, "population labels: counts, or proportions, which have a point")
      ->type_name("LABEL:NUMBER,...")
      ->group("Selection");
  command
      ->add_option("--pheno", fetch.phenotypes,
                   "one phenotype: a number, normal(MEAN,SD), uniform(LOW,HIGH), a level, or LEVEL:SHARE,...")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->group("Selection");
  command->add_flag("--extrapolate", fetch.extrapolate, "values up to the training range's width beyond its ends")
      ->group("Selection");
  command->add_option("--pheno-file", fetch.pheno_file, "values for each sample: IID, then phenotypes and labels")
      ->type_name("FILE")
      ->group("Selection");
  command->add_option("-r,--regions", fetch.regions, "variants in these regions only")
      ->type_name("CONTIG[:FROM-TO],...")
      ->group("Selection");
  command->add_option("-R,--regions-file", fetch.regions_file, "the same from a file: tab-separated, or .bed")
      ->type_name("FILE")
      ->group("Selection");
  AddNumber<uint64_t>(command, "--seed", &fetch.seed, "seed; default: drawn, and told at the end")
      ->type_name("INT")
      ->group("Selection");
  command->add_option("--shard", fetch.shard, "part I of N of the cohort; needs --seed")
      ->type_name("I/N")
      ->group("Selection");
  AddTraitOptions(command, &fetch.trait);
  command
      ->add_option("-o,--output,--out", fetch.output.path,
                   "file whose suffix tells the format, else prefix of .bed/.bim/.fam; - = stdout")
      ->type_name("PATH")
      ->required()
      ->group("Output");
  std::vector<const char*> formats;
  for (const CohortFormat format : AllCohortFormats()) formats.push_back(CohortFormatName(format));
  command->add_option("-O,--output-type", fetch.output.format, "whatever the suffix")
      ->type_name(absl::StrJoin(formats, "|"))
      ->group("Output");
  command->add_option("-W,--index", fetch.output.index, "of vcf.gz; default csi")
      ->type_name("csi|tbi")
      ->group("Output");
  command->add_option("--oxford", fetch.output.oxford, "whose .sample and .haps for hap and haps; default plink2")
      ->type_name("plink2|bcftools")
      ->group("Output");
  command->add_option("--preset", fetch.preset, "what CI needs: PGEN, BED, VCF, simulated trait and truth, covariates")
      ->type_name("gwas-ci")
      ->group("Output");
  command->add_flag("--dry-run", fetch.dry_run, "only tell what there would be: samples, sizes, seed, licence")
      ->group("Output");
  command->add_flag("--force", fetch.force, "replace files that are there, and begin anew")->group("Output");
  command->add_flag("-q,--quiet", fetch.quiet, "errors only")->group("Output");
  AddNumber<int32_t>(command, "--parallel", &fetch.parallel, "so many ranges at once, one call each; default 1")
      ->type_name("COUNT")
      ->group("Transfer");
  AddNumber<int32_t>(command, "--max-batch-bytes", &fetch.max_batch_bytes,
                     "of genotypes in one message; default 262144")
      ->type_name("BYTES")
      ->group("Transfer");
  AddServerOptions(command, arguments);
  command->footer(absl::StrCat(kFetchExamples, kExitCodeHelp));
}

void AddVerify(CLI::App* app, VerifyArguments* verify) {
  CLI::App* command = app->add_subcommand("verify", "Compare the files of a cohort with their manifest");
  command->add_option("path", verify->path, "a file, the prefix, or the manifest of the cohort")
      ->type_name("PATH")
      ->required()
      ->group("Input");
  command->add_flag("-q,--quiet", verify->quiet, "only files that differ")->group("Output");
  command->footer(absl::StrCat(kVerifyExamples, kExitCodeHelp));
}

void AddReport(CLI::App* app, Arguments* arguments) {
  CLI::App* command = app->add_subcommand("report", "How faithful a synthetic cohort is, and what it gives away");
  ReportArguments& report = arguments->report;
  const auto path = [command](const char* name, std::string* target, const char* help) {
    return command->add_option(name, *target, help)->type_name("PATH")->group("Input");
  };
  path("--train", &report.training.genotypes, "genotypes that the generator learned from")->required();
  path("--synth", &report.synthetic.genotypes, "genotypes of the synthetic cohort")->required();
  path("--holdout", &report.holdout.genotypes, "genotypes of people whom it never saw");
  command
      ->add_option("--holdout-share", report.holdout_share,
                   "without --holdout: share of --train to keep apart; default 0.2")
      ->type_name("SHARE")
      ->group("Input");
  path("--panel", &report.training.panel, "population labels of --train, and of --holdout");
  path("--synth-panel", &report.synthetic.panel, "population labels of --synth");
  path("--holdout-panel", &report.holdout.panel, "population labels of --holdout; default: --panel");
  command->add_option("--label-column", report.label_column, "column of the panels")
      ->type_name("COLUMN")
      ->group("Input");
  command->add_option("--synth-label-column", report.synthetic_label_column, "of --synth-panel, where it is another")
      ->type_name("COLUMN")
      ->group("Input");
  path("--pheno", &report.training.phenotypes, "phenotypes of --train, and of --holdout");
  path("--synth-pheno", &report.synthetic.phenotypes, "phenotypes of --synth");
  path("--holdout-pheno", &report.holdout.phenotypes, "phenotypes of --holdout; default: --pheno");
  command->add_option("--pheno-name", report.phenotype_names, "columns of the phenotypes; default: all")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->group("Input");
  command->add_option("--categorical", report.categorical, "columns whose numbers are levels")
      ->delimiter(',')
      ->type_name("NAME,...")
      ->group("Input");
  command
      ->add_option_function<std::string>(
          "--gate",
          [&report](const std::string& gate) {
            report.gate = gate;
            report.gate_given = true;
          },
          "\"default\" or a file of limits; exit code 7 where the cohort breaks one")
      ->type_name("FILE")
      ->group("Selection");
  AddNumber<uint64_t>(command, "--seed", &report.seed, "of subsets, naive draws and intervals; default 0")
      ->type_name("INT")
      ->group("Selection");
  command->add_option("-o,--output,--out", report.output, "page to write")->type_name("FILE.html")->group("Output");
  command->add_option("--json", report.json, "all figures and charts as JSON")->type_name("FILE")->group("Output");
  command->add_option("--title", report.title, "of the page, such as the name of the model")
      ->type_name("TEXT")
      ->group("Output");
  command->add_flag("--force", report.force, "replace files that are there")->group("Output");
  command->add_flag("-q,--quiet", report.quiet, "no progress")->group("Output");
  command->footer(absl::StrCat(kReportExamples, kExitCodeHelp));
}

void AddAdmin(CLI::App* app, Arguments* arguments) {
  CLI::App* command = app->add_subcommand("admin", "Tell a server what to load; for its admins");
  command->require_subcommand(1);
  AdminArguments& admin = arguments->admin;
  CLI::App* reload = command->add_subcommand("reload", "Read the configuration file again");
  CLI::App* retry = command->add_subcommand("retry", "Try a version that failed or is quarantined once more");
  CLI::App* pin = command->add_subcommand("pin", "Load a version and keep it loaded");
  CLI::App* unload = command->add_subcommand("unload", "Give a model's memory back until it is asked for again");
  CLI::App* label = command->add_subcommand("label", "Have a label point at a version, here at once");
  for (CLI::App* whole : {retry, pin}) {
    whole->add_option("model", admin.model, "model and version")->type_name("NAME@VERSION")->required();
  }
  pin->add_flag("--remove", admin.remove, "let policy and memory budget decide again");
  unload->add_option("model", admin.model, "model, and version if not all")->type_name("NAME[@VERSION]")->required();
  label->add_option("model", admin.model, "model")->type_name("NAME")->required();
  label->add_option("label", admin.label, "stable, canary, or any other")->type_name("LABEL")->required();
  label->add_option("version", admin.version, "that it is to point at")->type_name("VERSION");
  label->add_flag("--remove", admin.remove, "there is to be no such label");
  for (CLI::App* each : {reload, retry, pin, unload, label}) {
    each->add_flag("--json", admin.json, "as JSON");
    AddServerOptions(each, arguments);
  }
}

std::unique_ptr<CLI::App> BuildApp(Arguments* arguments) {
  auto app = std::make_unique<CLI::App>("Synthetic genotypes from a genoserve server.", "genoserve");
  app->require_subcommand(1);
  app->set_version_flag("--version", kVersionLine, "The version of this program");
  app->footer(absl::StrCat(kExamples, kExitCodeHelp));
  app->get_formatter()->column_width(38);
  AddFetch(app.get(), arguments);
  AddReport(app.get(), arguments);
  AddConvertCommand(app.get(), &arguments->convert);
  CLI::App* models = app->add_subcommand("models", "What models the server has");
  models->require_subcommand(1);
  CLI::App* list = models->add_subcommand("list", "All models with all versions");
  CLI::App* show = models->add_subcommand("show", "All about one model");
  show->add_option("model", arguments->model, "model, and version if not the default one")
      ->type_name("NAME[@VERSION]")
      ->required();
  CLI::App* status = models->add_subcommand("status", "What became of each version, and of the store");
  status->add_option("model", arguments->model, "of one model only")->type_name("NAME");
  for (CLI::App* command : {list, show, status}) {
    command->add_flag("--json", arguments->json, "as JSON");
    AddServerOptions(command, arguments);
  }
  AddAdmin(app.get(), arguments);
  CLI::App* variants = app->add_subcommand("variants", "The variants of a model, as a VCF without samples");
  variants->add_option("model", arguments->model, "model, and version if not the default one")
      ->type_name("NAME[@VERSION]")
      ->required();
  variants->add_option("-r,--regions", arguments->regions, "variants in these regions only")
      ->type_name("CONTIG[:FROM-TO],...");
  AddServerOptions(variants, arguments);
  AddStoreCommands(app.get(), &arguments->store);
  AddVerify(app.get(), &arguments->verify);
  app->add_subcommand("version", "The version of this program");
  AddHelpPageCommands(app.get(), &arguments->help_pages);
  return app;
}

int Complain(const std::string& message) {
  std::fprintf(stderr, "genoserve: %s\n", message.c_str());
  return kExitUsage;
}

absl::Status Dispatch(const CLI::App& app, const Arguments& arguments, Interrupt* interrupt) {
  if (app.got_subcommand("version")) return Print(absl::StrCat(kVersionLine, "\n"));
  if (app.got_subcommand("completion") || app.got_subcommand("man")) {
    return RunHelpPageCommand(app, arguments.help_pages);
  }
  if (app.got_subcommand("fetch")) return Fetch(arguments.fetch, arguments.client, interrupt);
  if (app.got_subcommand("verify")) return Verify(arguments.verify, *interrupt);
  if (app.got_subcommand("convert")) return RunConvert(arguments.convert, interrupt);
  if (app.got_subcommand("report")) {
    return Report(arguments.report, [interrupt] { return interrupt->raised(); });
  }
  if (app.got_subcommand("variants")) {
    return PrintVariants(arguments.client, arguments.model, arguments.regions, interrupt);
  }
  if (app.got_subcommand("admin")) {
    const std::string verb = app.get_subcommand("admin")->get_subcommands().front()->get_name();
    return Administer(arguments.client, verb, arguments.admin, interrupt);
  }
  if (app.got_subcommand("store")) return RunStoreCommand(*app.get_subcommand("store"), arguments.store, interrupt);
  const CLI::App* models = app.get_subcommand("models");
  if (models->got_subcommand("status")) {
    return ShowStatus(arguments.client, arguments.model, arguments.json, interrupt);
  }
  if (models->got_subcommand("show")) return ShowModel(arguments.client, arguments.model, arguments.json, interrupt);
  return ListModels(arguments.client, arguments.json, interrupt);
}

}  // namespace

int RunCli(int argc, const char* const* argv, Interrupt* interrupt) {
  Arguments arguments;
  const std::unique_ptr<CLI::App> app = BuildApp(&arguments);
  try {
    app->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    // CLI11 leaves two empty lines between groups.
    return ExitCodeOf(Print(absl::StrReplaceAll(app->help(), {{"\n\n\n", "\n\n"}})));
  } catch (const CLI::CallForVersion&) {
    return ExitCodeOf(Print(absl::StrCat(kVersionLine, "\n")));
  } catch (const CLI::ParseError& error) {
    return Complain(ParseComplaint(*app, error));
  }
  if (!std::isfinite(arguments.timeout) || arguments.timeout < 0) {
    return Complain("--timeout: must be a number of seconds of at least 0 (0 = never)");
  }
  if (arguments.client.retries < 0) return Complain("--retries: must be at least 0");
  if (arguments.timeout > 0) arguments.client.timeout = absl::Seconds(arguments.timeout);
  const absl::Status status = Dispatch(*app, arguments, interrupt);
  if (!status.ok() && Interrupt::BrokenPipe()) return kExitPipe;
  if (interrupt->raised() && !status.ok()) {
    // A fetch tells what it keeps.
    const bool told = absl::StartsWith(status.message(), "interrupted");
    Complain(told ? std::string(status.message()) : "interrupted; nothing was left behind");
    return kExitInterrupt;
  }
  if (!status.ok()) Complain(std::string(status.message()));
  return ExitCodeOf(status);
}

}  // namespace genoserve
