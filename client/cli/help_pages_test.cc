// Completions and manual pages, run in the shells and rendered by man, against what --help tells.
#include "client/cli/help_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/exit_code.h"
#include "client/testing/subprocess.h"
#include "core/base/file.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Words = std::vector<std::string>;

ProgramResult Genoserve(Words arguments) {
  arguments.insert(arguments.begin(), GENOSERVE_PROGRAM);
  return RunProgram(arguments);
}

// A command with the words that lead to it and the long options that --help has of it.
struct HelpedCommand {
  Words path;
  Words options;
};

// All commands of the program, by what --help tells of each.
void CollectCommands(const Words& path, std::vector<HelpedCommand>* commands) {
  Words arguments = path;
  arguments.push_back("--help");
  const ProgramResult help = Genoserve(arguments);
  ASSERT_EQ(help.exit_code, 0) << help.err;
  HelpedCommand command{path, {}};
  bool below = false;
  const std::regex option("^  (-., ?)?(-.,)?(--[a-z-]+)");
  const std::regex name("^  ([a-z]+) ");
  Words names;
  for (const std::string& line : Words(absl::StrSplit(help.out, '\n'))) {
    if (line == "Subcommands:") below = true;
    if (line.empty()) below = false;
    std::smatch match;
    if (below && std::regex_search(line, match, name)) names.push_back(match[1]);
    if (std::regex_search(line, match, option)) command.options.push_back(match[3]);
  }
  ASSERT_THAT(command.options, Contains("--help")) << absl::StrJoin(path, " ");
  commands->push_back(command);
  for (const std::string& each : names) {
    Words next = path;
    next.push_back(each);
    CollectCommands(next, commands);
  }
}

std::vector<HelpedCommand> AllCommands() {
  std::vector<HelpedCommand> commands;
  CollectCommands({}, &commands);
  return commands;
}

class HelpPagesTest : public testing::Test {
 protected:
  HelpPagesTest() : folder_(NewTestFolder()) {}
  ~HelpPagesTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  // What bash offers for the last of these words, the ones before it being there.
  Words Bash(const Words& words) const {
    const std::string script = absl::StrCat(
        "source <(\"$0\" completion bash); cd \"$1\"; shift; COMP_WORDS=(genoserve \"$@\"); COMP_CWORD=$#; _genoserve; "
        "printf '%s\\n' \"${COMPREPLY[@]}\"");
    Words command = {"bash", "--norc", "-c", script, GENOSERVE_PROGRAM, folder_};
    command.insert(command.end(), words.begin(), words.end());
    const ProgramResult result = RunProgram(command);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, IsEmpty());
    return absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  }

  const std::string folder_;
};

TEST_F(HelpPagesTest, BashOffersEveryCommandAndFlagThatHelpHas) {
  const std::vector<HelpedCommand> commands = AllCommands();
  EXPECT_GT(commands.size(), 20u);
  for (const HelpedCommand& command : commands) {
    Words words = command.path;
    words.push_back("--");
    const Words offered = Bash(words);
    for (const std::string& option : command.options)
      EXPECT_THAT(offered, Contains(option)) << absl::StrJoin(command.path, " ");
    if (command.path.empty()) continue;
    words = command.path;
    EXPECT_THAT(Bash(words), Contains(command.path.back()));
  }
}

TEST_F(HelpPagesTest, BashKnowsWhatAValueCanBe) {
  ASSERT_TRUE(FileSystem::Posix().WriteFile(JoinPath(folder_, "a file.tsv"), "x").ok());
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(JoinPath(folder_, "a folder")).ok());
  EXPECT_THAT(Bash({"fetch", "five", "--pheno-file", "a f"}), testing::UnorderedElementsAre("a file.tsv", "a folder"));
  EXPECT_THAT(Bash({"fetch", "five", "--pheno-file", "=", "a fi"}), ElementsAre("a file.tsv"));
  EXPECT_THAT(Bash({"store", "--store", "a"}), ElementsAre("a folder"));
  EXPECT_THAT(Bash({"completion", ""}), ElementsAre("bash", "zsh"));
  // A value that is called like a command is none.
  EXPECT_THAT(Bash({"fetch", "--pop", "models", "--f"}), ElementsAre("--force"));
  EXPECT_THAT(Bash({"fetch", "-n", ""}), IsEmpty());
}

TEST_F(HelpPagesTest, ZshOffersCommandsFlagsAndFiles) {
  ASSERT_EQ(
      RunProgram({"bash", "-c", "\"$0\" completion zsh >\"$1\"/_genoserve", GENOSERVE_PROGRAM, folder_}).exit_code, 0);
  ASSERT_TRUE(FileSystem::Posix().WriteFile(JoinPath(folder_, "panel.tsv"), "x").ok());
  // A shell at a terminal in which Tab is pressed after each line; it shows what it completed the line to.
  const std::string script = R"(
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "cd $1; PROMPT=; fpath=(\$PWD \$fpath); autoload -Uz compinit; compinit -D -u; zstyle ':completion:*' list-grouped no"
    zpty -w shell 'show() { print -r -- "<$BUFFER>"; BUFFER=; zle -R }; zle -N show; bindkey "^X" show; print ready''!'
    zpty -r shell answer '*ready!*'
    shift
    for line; do
      zpty -w -n shell "$line"$'\t\x18'
      zpty -r shell answer '*<*>*'
      print -r -- "${${answer##*<}%%>*}"
    done
    zpty -d shell
  )";
  const ProgramResult result =
      RunProgram({"zsh", "-f", "-c", script, "zsh", folder_, "genoserve fet", "genoserve fetch five --sam",
                  "genoserve store promo", "genoserve report --train pan", "genoserve completion z"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out,
            "genoserve fetch \ngenoserve fetch five --samples=\ngenoserve store promote \n"
            "genoserve report --train panel.tsv \ngenoserve completion zsh \n");
}

TEST_F(HelpPagesTest, ManPagesHaveEveryFlagAndRenderWithoutAWarning) {
  ASSERT_EQ(Genoserve({"man", "--folder", folder_}).exit_code, 0);
  for (const HelpedCommand& command : AllCommands()) {
    const std::string page = command.path.empty() ? "genoserve.1" : absl::StrCat("genoserve-", command.path[0], ".1");
    const ProgramResult shown = RunProgram({"man", "--warnings", "-E", "UTF-8", "-l", JoinPath(folder_, page)},
                                           {{"MANWIDTH", "200"}, {"MAN_KEEP_FORMATTING", ""}, {"LC_ALL", "C.UTF-8"}});
    EXPECT_EQ(shown.exit_code, 0);
    EXPECT_THAT(shown.err, IsEmpty()) << page;
    for (const std::string& option : command.options) {
      EXPECT_TRUE(std::regex_search(shown.out, std::regex(absl::StrCat("\n +(-., )*(--[a-z-]+, )*", option, "[ ,\n]"))))
          << page << " " << option << "\n"
          << shown.out;
    }
  }
  const ProgramResult one = Genoserve({"man", "fetch"});
  EXPECT_EQ(one.out, *FileSystem::Posix().ReadFile(JoinPath(folder_, "genoserve-fetch.1"), 1 << 20));
  EXPECT_THAT(one.out, AllOf(HasSubstr(".SH EXIT CODES\n"), HasSubstr(".SH EXAMPLES\n")));
}

TEST_F(HelpPagesTest, WordsThatAreNotKnownEndWithTheNearestOnes) {
  const auto complaint = [](const Words& arguments) {
    const ProgramResult result = Genoserve(arguments);
    EXPECT_EQ(result.exit_code, kExitUsage);
    EXPECT_THAT(result.out, IsEmpty());
    return result.err;
  };
  EXPECT_EQ(complaint({"fecth"}), "genoserve: unknown argument fecth; did you mean fetch?\n");
  EXPECT_EQ(complaint({"store", "promot", "five"}), "genoserve: unknown argument promot; did you mean promote?\n");
  EXPECT_EQ(complaint({"fetch", "five", "--sample", "4"}),
            "genoserve: unknown argument --sample; did you mean --samples?\n");
  EXPECT_EQ(complaint({"--server", "localhost:1", "fetch"}),
            "genoserve: unknown argument --server here; it goes after fetch\n");
  EXPECT_EQ(complaint({"man", "fech"}), "genoserve: no command fech; did you mean fetch?\n");
  EXPECT_THAT(complaint({}), HasSubstr("genoserve needs a command: fetch, "));
  EXPECT_THAT(complaint({"store"}), HasSubstr("store needs a command: ls, "));
  EXPECT_THAT(complaint({"completion", "fish"}), HasSubstr("bash and zsh"));
  EXPECT_EQ(Genoserve({"--version"}).out, Genoserve({"version"}).out);
  EXPECT_THAT(Genoserve({"--version"}).out, Not(IsEmpty()));
}

}  // namespace
}  // namespace genoserve
