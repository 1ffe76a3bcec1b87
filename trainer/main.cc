// genoserve-trainer: trains generators and publishes them.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "trainer/exit_code.h"
#include "trainer/runtime.h"
#include "trainer/train_command.h"
#include "trainer/train_options.h"

namespace genoserve {
namespace {

int Complain(absl::string_view message) {
  std::cerr << "genoserve-trainer: " << message << std::endl;
  return kExitUsage;
}

int Main(int argc, char** argv) {
  CLI::App app("Trains generators of synthetic genotypes and publishes them to a store.", "genoserve-trainer");
  app.require_subcommand(1);
  app.set_version_flag("--version", absl::StrCat("genoserve-trainer ", GENOSERVE_VERSION));
  app.footer(absl::StrCat("genoserve-trainer COMMAND --help tells the options, with examples.\n\n", kExitCodeHelp));
  app.get_formatter()->column_width(34);
  TrainOptions train;
  AddTrainCommand(app, train);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return Complain(absl::StrReplaceAll(error.what(), {{"\n", " "}}));
  }
  const absl::StatusOr<v1::TrainConfig> config = ConfigOf(train);
  if (config.ok()) SetUpRuntime(argv);
  const absl::Status status = config.ok() ? Train(*config, train.resume) : config.status();
  if (!status.ok()) Complain(status.message());
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }
