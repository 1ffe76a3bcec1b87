#include "client/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "client/cli/exit_code.h"

namespace genoserve {
namespace {

std::atomic<bool> broken_pipe = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // it is set in a signal handler

// The signals to watch: a signal that the parent had ignored, as nohup does, stays ignored.
sigset_t WatchedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction action;
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) sigaddset(&signals, signal);
  }
  return signals;
}

}  // namespace

Interrupt& Interrupt::Install() {
  static Interrupt& interrupt = *new Interrupt;
  struct sigaction pipe = {};
  pipe.sa_handler = [](int) { broken_pipe = true; };
  ::sigaction(SIGPIPE, &pipe, nullptr);
  // A file that grows past the limit of the shell is an error of the write, too.
  ::signal(SIGXFSZ, SIG_IGN);
  const sigset_t signals = WatchedSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(&Interrupt::Watch, &interrupt).detach();
  return interrupt;
}

void Interrupt::Watch() {
  const sigset_t signals = WatchedSignals();
  while (true) {
    int signal = 0;
    if (::sigwait(&signals, &signal) != 0) return;
    const absl::MutexLock lock(&mutex_);
    if (raised_) ::_exit(kExitInterrupt);
    raised_ = true;
    if (action_) action_();
  }
}

void Interrupt::Call(std::function<void()> action) {
  const absl::MutexLock lock(&mutex_);
  action_ = std::move(action);
  if (raised_ && action_) action_();
}

bool Interrupt::raised() const {
  const absl::MutexLock lock(&mutex_);
  return raised_;
}

bool Interrupt::BrokenPipe() { return broken_pipe; }

}  // namespace genoserve
