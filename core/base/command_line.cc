#include "core/base/command_line.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

// The command that the arguments got to.
const CLI::App* Innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

// What was meant by a word that is no option and no command.
std::string Suggestion(const CLI::App& app, const std::string& argument) {
  const CLI::App* command = Innermost(&app);
  const std::string word = argument.substr(0, argument.find('='));
  std::vector<std::string> candidates;
  if (absl::StartsWith(word, "-")) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) candidates.push_back("--" + name);
    }
  } else {
    candidates = CommandsOf(*command);
  }
  const std::string nearest = NearestMatch(word, candidates);
  if (nearest == word) return absl::StrCat(" here; it goes after ", command->get_name());
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?");
}

}  // namespace

std::string ParseComplaint(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> words = app.remaining(true);
  if (!words.empty()) return absl::StrCat("unknown argument ", words.front(), Suggestion(app, words.front()));
  if (const CLI::App* command = Innermost(&app);
      error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError) &&
      command->get_require_subcommand_min() > 0) {
    return absl::StrCat(command->get_name(), " needs a command: ", absl::StrJoin(CommandsOf(*command), ", "));
  }
  return absl::StrReplaceAll(
      error.what(), {{"\n", " "}, {": At Most 1 required but received ", ": takes one value, and was given "}});
}

}  // namespace genoserve
