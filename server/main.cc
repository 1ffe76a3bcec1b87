// genoserve-server: serves synthetic cohorts from the generators in a store.
//
// Exit codes: 0 = stopped when told to; 2 = the command line or the configuration is wrong; 3 = something that it names
// is not there; 1 = all else.
#include <grpc/support/log.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <iostream>
#include <iterator>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "core/base/openssl_at_exit.h"
#include "core/base/sha256.h"
#include "server/flags.h"
#include "server/server.h"

namespace genoserve {
namespace {

int ExitCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 0;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
      return 2;
    case absl::StatusCode::kNotFound:
      return 3;
    default:
      return 1;
  }
}

int Fail(const absl::Status& status) {
  std::cerr << "genoserve-server: " << status.message() << "\n";
  return ExitCode(status);
}

// What gRPC says for itself is for those who debug it; errors that matter come back as statuses.
void LogOfGrpc(gpr_log_func_args* args) { spdlog::debug("{}:{}: {}", args->file, args->line, args->message); }

int HashToken() {
  std::string token{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  absl::StripAsciiWhitespace(&token);
  if (token.empty()) return Fail(absl::InvalidArgumentError("hash-token: there is no token on standard input"));
  std::cout << Sha256Hex(token) << "\n";
  return 0;
}

// Waits for SIGTERM or SIGINT; SIGHUP has the configuration read again.
void AwaitEnd(Server& server, const sigset_t& signals) {
  int signal = 0;
  do {
    sigwait(&signals, &signal);
    // What came of it stands in the log.
    if (signal == SIGHUP) server.ReloadConfig().IgnoreError();
  } while (signal == SIGHUP);
}

// Runs until told to end, then drains; the second signal cuts that short. The signals must be blocked.
void RunUntilSignal(Server& server, const sigset_t& signals) {
  absl::Notification told;
  std::thread drainer([&] {
    told.WaitForNotification();
    server.Drain();
    // Ends the wait for a second signal.
    kill(getpid(), SIGTERM);
  });
  AwaitEnd(server, signals);
  told.Notify();
  AwaitEnd(server, signals);
  server.HurryUp();
  drainer.join();
}

int Main(int argc, const char* const* argv) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(argc, argv);
  if (!line.ok()) return Fail(line.status());
  if (line->help.has_value()) {
    std::cout << *line->help;
    return 0;
  }
  if (line->hash_token) return HashToken();
  SetUpLogging(line->log);
  gpr_set_log_function(&LogOfGrpc);
  // Debian's Abseil looks for cycles at each lock, gRPC's too; tests and sanitizers do that for us.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Before any thread starts, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Server::Options options;
  options.pin_workers = true;
  if (line->has_config_file) {
    // The flags again too, since they win over the file.
    options.read_config = [argc, argv]() -> absl::StatusOr<v1::ServerConfig> {
      absl::StatusOr<CommandLine> again = ParseCommandLine(argc, argv);
      if (!again.ok()) return std::move(again).status();
      return std::move(again->config);
    };
  }
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(line->config, options);
  if (!server.ok()) return Fail(server.status());
  RunUntilSignal(**server, signals);
  return 0;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  genoserve::KeepOpenSslAtExit();
  return genoserve::Main(argc, argv);
}
