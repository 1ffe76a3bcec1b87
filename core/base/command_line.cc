#include "core/base/command_line.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

// The command that the arguments got to.
const CLI::App* Innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
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
    for (const CLI::App* sub : command->get_subcommands([](const CLI::App*) { return true; })) {
      candidates.push_back(sub->get_name());
    }
  }
  const std::string nearest = NearestMatch(word, candidates);
  return nearest.empty() ? "" : absl::StrCat("; did you mean ", nearest, "?");
}

}  // namespace

std::string ParseComplaint(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> words = app.remaining(true);
  if (!words.empty()) return absl::StrCat("unknown argument ", words.front(), Suggestion(app, words.front()));
  return absl::StrReplaceAll(
      error.what(), {{"\n", " "}, {": At Most 1 required but received ", ": takes one value, and was given "}});
}

}  // namespace genoserve
