#include "client/cli/help_pages.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/command_tree.h"
#include "client/cli/completion.h"
#include "client/cli/exit_code.h"
#include "client/cli/man_page.h"
#include "client/cli/models.h"
#include "core/base/status.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

constexpr char kVersion[] = GENOSERVE_VERSION;

constexpr char kCompletionExamples[] =
    "Examples:\n"
    "  source <(genoserve completion bash)        # in ~/.bashrc\n"
    "  source <(genoserve completion zsh)         # in ~/.zshrc, after compinit\n\n"
    "An installed genoserve has both where the shells look for them.\n\n";

absl::Status PrintManPage(const Command& program, const std::string& name) {
  if (name.empty()) return Print(ManPage(program, program, kVersion));
  std::vector<std::string> names;
  for (const Command& command : program.commands) {
    if (command.name == name) return Print(ManPage(program, command, kVersion));
    names.push_back(command.name);
  }
  const std::string nearest = NearestMatch(name, names);
  return Local(absl::NotFoundError(
      absl::StrCat("no command ", name, nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?"))));
}

}  // namespace

void AddHelpPageCommands(CLI::App* app, HelpPageArguments* arguments) {
  CLI::App* completion = app->add_subcommand("completion", "The script that completes this command line in a shell");
  completion->add_option("shell", arguments->shell, "shell that is to run it")->type_name("bash|zsh")->required();
  completion->footer(kCompletionExamples);
  CLI::App* man = app->add_subcommand("man", "The manual page of this program or of a command, for man -l -");
  man->add_option("command", arguments->command, "command; default: the program")->type_name("COMMAND");
  man->add_option("--folder", arguments->folder, "write all pages to files there instead")->type_name("FOLDER");
}

absl::Status RunHelpPageCommand(const CLI::App& app, const HelpPageArguments& arguments) {
  const Command program = DescribeCommand(app);
  if (app.got_subcommand("completion")) {
    const absl::StatusOr<std::string> script = CompletionScript(program, arguments.shell);
    return script.ok() ? Print(*script) : Local(script.status());
  }
  if (!arguments.folder.empty()) return Local(WriteManPages(program, kVersion, arguments.folder));
  return PrintManPage(program, arguments.command);
}

}  // namespace genoserve
