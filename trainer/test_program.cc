#include "trainer/test_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace genoserve {
namespace {

// What happens in the child, between fork and exec.
[[noreturn]] void Become(const std::string& program, const std::vector<std::string>& arguments,
                         const ProgramOptions& options, int out, int err) {
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (options.largest_file > 0) {
    const rlimit limit = {options.largest_file, options.largest_file};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (options.interrupted) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, nullptr);
    ::raise(SIGTERM);
  }
  for (const auto& [name, value] : options.environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  ::_exit(126);
}

// A descriptor that becomes readable when something in the file's folder gets a name, or -1 where none is asked for.
int WatchFor(const std::string& file) {
  if (file.empty()) return -1;
  const int watch = ::inotify_init1(IN_CLOEXEC);
  if (::inotify_add_watch(watch, std::filesystem::path(file).parent_path().c_str(), IN_MOVED_TO) < 0) std::abort();
  return watch;
}

}  // namespace

ProgramResult RunTrainer(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string program = self.parent_path().parent_path() / "bin" / "genoserve-trainer";
  std::array<std::array<int, 2>, 2> pipes;
  for (auto& ends : pipes) {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  }
  const int watch = WatchFor(options.signal_on);
  const pid_t child = ::fork();
  if (child == 0) Become(program, arguments, options, pipes[0][1], pipes[1][1]);
  for (auto& ends : pipes) ::close(ends[1]);
  ProgramResult result;
  auto when = options.when;
  bool signalled = options.signal == 0;
  const auto signal_once = [&] {
    if (!signalled) ::kill(child, options.signal);
    signalled = true;
  };
  const std::array<std::string*, 2> texts = {&result.out, &result.err};
  std::array<pollfd, 3> polled = {pollfd{pipes[0][0], POLLIN, 0}, pollfd{pipes[1][0], POLLIN, 0},
                                  pollfd{watch, POLLIN, 0}};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    ::poll(polled.data(), polled.size(), -1);
    std::array<char, 4096> buffer;
    if (polled[2].revents != 0) {
      if (::read(watch, buffer.data(), buffer.size()) < 0) std::abort();
      if (std::filesystem::exists(options.signal_on)) signal_once();
    }
    for (size_t i = 0; i < texts.size(); ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      const ssize_t n = ::read(polled[i].fd, buffer.data(), buffer.size());
      if (n > 0) {
        texts[i]->append(buffer.data(), static_cast<size_t>(n));
      } else {
        ::close(polled[i].fd);
        polled[i].fd = -1;
      }
    }
    if (!options.signal_at.empty() && result.err.find(options.signal_at) != std::string::npos) signal_once();
    for (auto entry = when.begin(); entry != when.end();) {
      if (result.err.find(entry->first) == std::string::npos) {
        ++entry;
      } else {
        entry->second();
        entry = when.erase(entry);
      }
    }
  }
  if (watch >= 0) ::close(watch);
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), length) != 0) std::abort();
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) std::abort();
  ::close(socket);
  return ntohs(address.sin_port);
}

}  // namespace genoserve
