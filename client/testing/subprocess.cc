#include "client/testing/subprocess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"

extern char** environ;  // NOLINT: POSIX asks the program to declare it

namespace genoserve {
namespace {

std::string NewFile() {
  const char* folder = ::getenv("TMPDIR");
  std::string path = JoinPath(folder == nullptr ? "/tmp" : folder, "program-XXXXXX");
  const int fd = ::mkstemp(path.data());
  if (fd >= 0) ::close(fd);
  return path;
}

std::string TakeFile(const std::string& path) {
  if (path.empty()) return "";
  std::string text = FileSystem::Posix().ReadFile(path, uint64_t{1} << 30).value_or("");
  FileSystem::Posix().Remove(path).IgnoreError();
  return text;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const bool replaced = std::any_of(added.begin(), added.end(), [&text](const auto& pair) {
      return absl::StartsWith(text, absl::StrCat(pair.first, "="));
    });
    if (!replaced) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(absl::StrCat(name, "=", value));
  return all;
}

}  // namespace

Subprocess::Subprocess(const std::vector<std::string>& arguments,
                       const std::vector<std::pair<std::string, std::string>>& environment, const std::string& out)
    : out_path_(out.empty() ? NewFile() : ""), err_path_(NewFile()) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (out.empty() ? out_path_ : out).c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_path_.c_str(), O_WRONLY | O_TRUNC, 0600);
  // The program begins with the signal settings of a shell, whatever those of the test are.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t all;
  sigset_t none;
  ::sigfillset(&all);
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<std::string> argv = arguments;
  std::vector<std::string> env = Environment(environment);
  if (::posix_spawnp(&pid_, argv[0].c_str(), &actions, &attributes, Pointers(&argv).data(), Pointers(&env).data()) !=
      0) {
    pid_ = -1;
  }
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
}

Subprocess::~Subprocess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  Wait();
}

void Subprocess::Signal(int signal) {
  if (pid_ > 0) ::kill(pid_, signal);
}

ProgramResult Subprocess::Wait() {
  ProgramResult result;
  int status = 127 << 8;
  if (pid_ > 0) {
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = TakeFile(out_path_);
  result.err = TakeFile(err_path_);
  return result;
}

ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const std::vector<std::pair<std::string, std::string>>& environment, const std::string& out) {
  return Subprocess(arguments, environment, out).Wait();
}

}  // namespace genoserve
