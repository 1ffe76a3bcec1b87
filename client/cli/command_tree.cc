#include "client/cli/command_tree.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace genoserve {
namespace {

ValueKind KindOf(const CommandOption& option) {
  if (option.type.empty()) return ValueKind::kNone;
  if (!option.choices.empty()) return ValueKind::kChoice;
  if (absl::StartsWith(option.type, "FILE") || option.type == "PATH") return ValueKind::kFile;
  if (option.type == "FOLDER" || option.type == "URL") return ValueKind::kFolder;
  return ValueKind::kText;
}

CommandOption DescribeOption(const CLI::Option& option) {
  CommandOption described;
  if (!option.get_positional()) {
    for (const std::string& name : option.get_snames()) described.names.push_back(absl::StrCat("-", name));
    for (const std::string& name : option.get_lnames()) described.names.push_back(absl::StrCat("--", name));
  }
  if (option.get_items_expected_max() > 0) described.type = option.get_type_name();
  if (absl::StrContains(described.type, '|')) described.choices = absl::StrSplit(described.type, '|');
  described.help = option.get_description();
  described.group = option.get_group();
  described.value = KindOf(described);
  described.required = option.get_required();
  described.repeatable = option.get_items_expected_max() > 1;
  return described;
}

}  // namespace

Command DescribeCommand(const CLI::App& app) {
  Command command;
  command.name = app.get_name();
  command.description = app.get_description();
  command.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    CommandOption described = DescribeOption(*option);
    (described.names.empty() ? command.arguments : command.options).push_back(std::move(described));
  }
  for (const CLI::App* each : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!each->get_group().empty()) command.commands.push_back(DescribeCommand(*each));
  }
  return command;
}

}  // namespace genoserve
