#include "trainer/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status.h"
#include "trainer/loop/interrupt.h"

namespace genoserve {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr absl::Duration kBetweenLooks = absl::Milliseconds(50);

// What happens in the child, between fork and exec.
[[noreturn]] void Become(char* const* argv, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(128 + SIGTERM);
  // Ctrl-C on the terminal is for the parent, which passes it on.
  ::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(kSelf, argv);
  ::_exit(127);
}

int AwaitEnd(pid_t child) {
  bool told = false;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) != child) {
    if (Interrupted() && !std::exchange(told, true)) ::kill(child, SIGTERM);
    absl::SleepFor(kBetweenLooks);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

absl::StatusOr<int> RunSelf(const std::vector<std::string>& arguments, const std::string& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoStatus(absl::StrCat(log, ": cannot open"));
  std::vector<char*> argv = {const_cast<char*>("genoserve-trainer")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) Become(argv.data(), file, parent);
  const absl::Status status = child < 0 ? ErrnoStatus("cannot start another process") : absl::OkStatus();
  ::close(file);
  GENOSERVE_RETURN_IF_ERROR(status);
  return AwaitEnd(child);
}

}  // namespace genoserve
