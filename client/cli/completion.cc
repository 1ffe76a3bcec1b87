#include "client/cli/completion.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace genoserve {
namespace {

constexpr char kBashHead[] = R"(# Completion of genoserve for bash, made by "genoserve completion bash".

# What a command takes.
_genoserve_command() {
  commands='' options='' valued='' argument=''
  case $1 in
)";

constexpr char kBashMiddle[] = R"(  esac
}

# What the value of an option can be.
_genoserve_value() {
  case $1 in
)";

constexpr char kBashTail[] = R"(  esac
}

_genoserve() {
  local current=${COMP_WORDS[COMP_CWORD]} path='' option='' value='' word i
  local commands options valued argument
  _genoserve_command ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then
      continue
    elif [[ -n $option ]]; then
      option=''
    elif [[ " $valued " == *" $word "* ]]; then
      option=$word
    elif [[ " $commands " == *" $word "* ]]; then
      path+=" $word"
      _genoserve_command "$path"
    fi
  done
  [[ $current != '=' ]] || current=''
  if [[ -n $option ]]; then
    _genoserve_value "$path $option"
  elif [[ $current == -* ]]; then
    value=$options
  else
    value="$commands $argument"
  fi
  case $value in
    *'<file>'*) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null ;;
    *'<folder>'*) mapfile -t COMPREPLY < <(compgen -d -- "$current"); compopt -o filenames 2>/dev/null ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$value" -- "$current") ;;
  esac
}
complete -F _genoserve genoserve
)";

constexpr char kZshHead[] =
    "#compdef genoserve\n# Completion of genoserve for zsh, made by \"genoserve completion zsh\".\n";

// Autoloaded as a completion it is to complete at once, sourced to be registered.
constexpr char kZshTail[] = R"(
if [[ $funcstack[1] == _genoserve ]]; then
  _genoserve "$@"
else
  compdef _genoserve genoserve
fi
)";

// What bash is told of a value: words, or that files are meant.
std::string BashValue(const CommandOption& option) {
  switch (option.value) {
    case ValueKind::kChoice:
      return absl::StrJoin(option.choices, " ");
    case ValueKind::kFile:
      return "<file>";
    case ValueKind::kFolder:
      return "<folder>";
    case ValueKind::kNone:
    case ValueKind::kText:
      return "";
  }
  return "";
}

// Adds the lines of a command and of those below it: of what it takes, and of its values.
void AppendBash(const Command& command, const std::string& path, std::string* takes, std::string* values) {
  std::vector<std::string> commands;
  std::vector<std::string> options;
  std::vector<std::string> valued;
  for (const Command& each : command.commands) commands.push_back(each.name);
  for (const CommandOption& option : command.options) {
    options.insert(options.end(), option.names.begin(), option.names.end());
    if (option.value == ValueKind::kNone) continue;
    valued.insert(valued.end(), option.names.begin(), option.names.end());
    const std::string value = BashValue(option);
    if (value.empty()) continue;
    const auto label = [&path](std::string* out, const std::string& name) {
      absl::StrAppend(out, "'", path, " ", name, "'");
    };
    absl::StrAppend(values, "    ", absl::StrJoin(option.names, "|", label), ") value='", value, "' ;;\n");
  }
  std::vector<std::string> arguments;
  for (const CommandOption& argument : command.arguments) arguments.push_back(BashValue(argument));
  absl::StrAppend(takes, "    '", path, "')\n      commands='", absl::StrJoin(commands, " "), "'\n      options='",
                  absl::StrJoin(options, " "), "'\n      valued='", absl::StrJoin(valued, " "), "'\n      argument='",
                  absl::StrJoin(arguments, " "), "' ;;\n");
  for (const Command& each : command.commands) AppendBash(each, absl::StrCat(path, " ", each.name), takes, values);
}

// A text between single quotes of zsh, in which _arguments and _describe give some characters a meaning.
std::string ZshQuoted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}, {"'", "'\\''"}});
}

// The part of a specification of _arguments that is for the value.
std::string ZshValue(const CommandOption& option) {
  const std::string message = absl::StrCat(":", ZshQuoted(option.type), ":");
  switch (option.value) {
    case ValueKind::kNone:
      return "";
    case ValueKind::kChoice:
      return absl::StrCat(message, "(", absl::StrJoin(option.choices, " "), ")");
    case ValueKind::kFile:
      return absl::StrCat(message, "_files");
    case ValueKind::kFolder:
      return absl::StrCat(message, "_files -/");
    case ValueKind::kText:
      break;
  }
  return absl::StrCat(message, " ");
}

// Adds the function of a command and those of the commands below it.
void AppendZsh(const Command& command, const std::string& function, std::string* out) {
  for (const Command& each : command.commands) AppendZsh(each, absl::StrCat(function, "_", each.name), out);
  absl::StrAppend(out, "\n", function, "() {\n");
  if (!command.commands.empty()) {
    absl::StrAppend(out, "  local curcontext=$curcontext state line\n  local -a commands=(\n");
    for (const Command& each : command.commands) {
      absl::StrAppend(out, "    '", each.name, ":", ZshQuoted(each.description), "'\n");
    }
    absl::StrAppend(out, "  )\n");
  }
  absl::StrAppend(out, "  _arguments", command.commands.empty() ? "" : " -C");
  for (const CommandOption& option : command.options) {
    const std::string others = option.repeatable ? "*" : absl::StrCat("(", absl::StrJoin(option.names, " "), ")");
    for (const std::string& name : option.names) {
      const char* joined = option.value == ValueKind::kNone ? "" : name[1] == '-' ? "=" : "+";
      absl::StrAppend(out, " \\\n    '", others, name, joined, "[", ZshQuoted(option.help), "]", ZshValue(option), "'");
    }
  }
  for (const CommandOption& argument : command.arguments) absl::StrAppend(out, " \\\n    '", ZshValue(argument), "'");
  if (command.commands.empty()) {
    absl::StrAppend(out, "\n}\n");
    return;
  }
  absl::StrAppend(out,
                  " \\\n    ': :->command' '*:: :->rest'\n  case $state in\n"
                  "    command) _describe command commands ;;\n    rest)\n      case $words[1] in\n");
  for (const Command& each : command.commands) {
    absl::StrAppend(out, "        ", each.name, ") ", function, "_", each.name, " ;;\n");
  }
  absl::StrAppend(out, "      esac ;;\n  esac\n}\n");
}

}  // namespace

absl::StatusOr<std::string> CompletionScript(const Command& program, absl::string_view shell) {
  if (shell == "bash") {
    std::string takes;
    std::string values;
    AppendBash(program, "", &takes, &values);
    return absl::StrCat(kBashHead, takes, kBashMiddle, values, kBashTail);
  }
  if (shell == "zsh") {
    std::string script = kZshHead;
    AppendZsh(program, "_genoserve", &script);
    return absl::StrCat(script, kZshTail);
  }
  return absl::InvalidArgumentError(absl::StrCat("there are completions for bash and zsh, not for \"", shell, "\""));
}

}  // namespace genoserve
