// genoserve-trainer: trains generators and publishes them.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "core/base/command_line.h"
#include "core/base/openssl_at_exit.h"
#include "core/base/status.h"
#include "trainer/config_file.h"
#include "trainer/exit_code.h"
#include "trainer/nudge.h"
#include "trainer/runtime.h"
#include "trainer/sweep_command.h"
#include "trainer/train_command.h"
#include "trainer/train_options.h"

namespace genoserve {
namespace {

int Complain(absl::string_view message) {
  std::cerr << "genoserve-trainer: " << message << std::endl;
  return kExitUsage;
}

absl::Status Dispatch(const CLI::App& app, const TrainOptions& options, char** argv) {
  GENOSERVE_ASSIGN_OR_RETURN(const v1::TrainConfig config, ConfigOf(options));
  if (app.got_subcommand("config")) {
    std::cout << ConfigText(config) << std::flush;
    return absl::OkStatus();
  }
  GENOSERVE_RETURN_IF_ERROR(CheckNudge(config.output()));
  if (app.got_subcommand("sweep")) return Sweep(config, options.sweep);
  SetUpRuntime(argv);
  return Train(config, options.start);
}

int Main(int argc, char** argv) {
  CLI::App app("Trains generators of synthetic genotypes and publishes them to a store.", "genoserve-trainer");
  app.require_subcommand(1);
  app.set_version_flag("--version", absl::StrCat("genoserve-trainer ", GENOSERVE_VERSION));
  app.footer(absl::StrCat("genoserve-trainer COMMAND --help tells the options, with examples.\n\n", kExitCodeHelp));
  app.get_formatter()->column_width(34);
  TrainOptions options;
  AddTrainCommand(app, options);
  AddSweepCommand(app, options);
  AddConfigCommand(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    return Complain(ParseComplaint(app, error));
  }
  const absl::Status status = Dispatch(app, options, argv);
  if (!status.ok()) Complain(status.message());
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  genoserve::KeepOpenSslAtExit();
  return genoserve::Main(argc, argv);
}
