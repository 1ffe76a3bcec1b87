// genoserve completion and genoserve man: the help in the forms that shells and man read.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/status.h"

namespace genoserve {

/// The arguments of both, as given.
struct HelpPageArguments {
  std::string shell;    ///< of completion
  std::string command;  ///< whose page; empty = the program's
  std::string folder;   ///< --folder
};

/// Adds both commands to the program.
void AddHelpPageCommands(CLI::App* app, HelpPageArguments* arguments);

/// Runs the one of them that was given, for the program with all its commands.
absl::Status RunHelpPageCommand(const CLI::App& app, const HelpPageArguments& arguments);

}  // namespace genoserve
