#include "client/cli/man_page.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// Text as it is to be seen: nothing in it is a request of roff, and ASCII characters stay what they are.
std::string Plain(absl::string_view text) {
  std::string plain = absl::StrReplaceAll(
      text, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}, {"`", "\\(ga"}, {"^", "\\(ha"}, {"~", "\\(ti"}});
  if (absl::StartsWith(plain, ".")) plain.insert(0, "\\&");
  return plain;
}

std::string Bold(absl::string_view text) { return absl::StrCat("\\fB", Plain(text), "\\fR"); }
std::string Italic(absl::string_view text) { return absl::StrCat("\\fI", Plain(text), "\\fR"); }

// Lines as they stand.
void AppendLines(absl::string_view text, std::string* page) {
  absl::StrAppend(page, ".nf\n");
  for (const absl::string_view line : absl::StrSplit(text, '\n')) absl::StrAppend(page, Plain(line), "\n");
  absl::StrAppend(page, ".fi\n");
}

std::string Synopsis(const Command& command, const std::string& name) {
  std::string synopsis = Bold(name);
  if (!command.options.empty()) absl::StrAppend(&synopsis, " [", Italic("options"), "]");
  for (const CommandOption& argument : command.arguments) {
    absl::StrAppend(&synopsis, argument.required ? " " : " [", Italic(argument.type), argument.required ? "" : "]");
  }
  if (!command.commands.empty()) absl::StrAppend(&synopsis, " ", Italic("command"));
  return synopsis;
}

void AppendOption(const CommandOption& option, std::string* page) {
  const auto bold = [](std::string* out, const std::string& name) { absl::StrAppend(out, Bold(name)); };
  absl::StrAppend(page, ".TP\n", absl::StrJoin(option.names, ", ", bold));
  if (!option.type.empty()) absl::StrAppend(page, option.names.empty() ? "" : " ", Italic(option.type));
  absl::StrAppend(page, "\n", Plain(option.help), option.required ? " (required)" : "", "\n");
}

// Arguments and options by group, in the order in which the groups first come. The first of them, without a name of its
// own, stands under the heading before it.
void AppendOptions(const Command& command, std::string* page) {
  for (const CommandOption& argument : command.arguments) AppendOption(argument, page);
  std::string group = "Options";
  for (const CommandOption& option : command.options) {
    if (option.group != group) absl::StrAppend(page, ".SS ", Plain(option.group), "\n");
    group = option.group;
    AppendOption(option, page);
  }
}

// The paragraphs of the help's end. Those with a title are sections.
void AppendFooter(absl::string_view footer, std::string* page) {
  for (const absl::string_view paragraph : absl::StrSplit(footer, "\n\n")) {
    const absl::string_view text = absl::StripTrailingAsciiWhitespace(paragraph);
    if (text.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('\n', 1));
    const bool titled = absl::EndsWith(parts.first, ":") && absl::StartsWith(parts.second, "  ");
    const absl::string_view title = titled ? absl::StripSuffix(parts.first, ":") : "Notes";
    absl::StrAppend(page, ".SH ", absl::AsciiStrToUpper(title), "\n");
    AppendLines(titled ? parts.second : text, page);
  }
}

// A command below the page's own, and those below it.
void AppendCommand(const Command& command, const std::string& name, std::string* page) {
  absl::StrAppend(page, ".SH ", absl::AsciiStrToUpper(Plain(name)), "\n", Plain(command.description), ".\n.PP\n",
                  Synopsis(command, name), "\n");
  AppendOptions(command, page);
  for (const Command& each : command.commands) AppendCommand(each, absl::StrCat(name, " ", each.name), page);
}

}  // namespace

std::string ManPage(const Command& program, const Command& command, absl::string_view version) {
  const bool whole = &program == &command;
  const std::string name = whole ? program.name : absl::StrCat(program.name, " ", command.name);
  const std::string page_name = absl::StrReplaceAll(name, {{" ", "-"}});
  const absl::string_view description = absl::StripSuffix(command.description, ".");
  std::string page = absl::StrCat(".TH ", absl::AsciiStrToUpper(Plain(page_name)), " 1 \"\" \"", program.name, " ",
                                  version, "\" \"User Commands\"\n.SH NAME\n", Plain(page_name), " \\- ",
                                  Plain(description), "\n.SH SYNOPSIS\n", Synopsis(command, name), "\n");
  if (whole) {
    absl::StrAppend(&page, ".SH COMMANDS\n");
    for (const Command& each : program.commands) {
      absl::StrAppend(&page, ".TP\n\\fB", Plain(absl::StrCat(program.name, "-", each.name)), "\\fR(1)\n",
                      Plain(each.description), "\n");
    }
  }
  absl::StrAppend(&page, ".SH OPTIONS\n");
  AppendOptions(command, &page);
  if (!whole) {
    for (const Command& each : command.commands) AppendCommand(each, absl::StrCat(name, " ", each.name), &page);
  }
  AppendFooter(command.footer, &page);
  if (!whole) absl::StrAppend(&page, ".SH SEE ALSO\n\\fB", Plain(program.name), "\\fR(1)\n");
  return page;
}

absl::Status WriteManPages(const Command& program, absl::string_view version, const std::string& folder) {
  const auto write = [&](const Command& command, const std::string& name) {
    return FileSystem::Posix().WriteFile(JoinPath(folder, name + ".1"), ManPage(program, command, version));
  };
  GENOSERVE_RETURN_IF_ERROR(write(program, program.name));
  for (const Command& each : program.commands) {
    GENOSERVE_RETURN_IF_ERROR(write(each, absl::StrCat(program.name, "-", each.name)));
  }
  return absl::OkStatus();
}

}  // namespace genoserve
