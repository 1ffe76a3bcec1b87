// The commands of a program and what they take, read from the same CLI::App as --help: what completions and man pages
// are made from.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

namespace genoserve {

/// What a value can be.
enum class ValueKind { kNone, kText, kChoice, kFile, kFolder };

/// One option, or one argument without a name before it.
struct CommandOption {
  std::vector<std::string> names;    ///< "-n", "--samples"; of an argument empty
  std::string type;                  ///< what --help calls the value, such as COUNT; empty = a flag
  std::vector<std::string> choices;  ///< values there are, where the type is of the form A|B
  std::string help;
  std::string group;
  ValueKind value = ValueKind::kNone;
  bool required = false;
  bool repeatable = false;
};

/// A command, or the program itself.
struct Command {
  std::string name;
  std::string description;
  std::string footer;
  std::vector<CommandOption> options;    ///< with names; -h, --help among them
  std::vector<CommandOption> arguments;  ///< without, in their order
  std::vector<Command> commands;
};

/// Reads a program that was set up, hidden commands and options left out. Types that begin with FILE or PATH are files,
/// URL and FOLDER are folders.
Command DescribeCommand(const CLI::App& app);

}  // namespace genoserve
