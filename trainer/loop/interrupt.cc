#include "trainer/loop/interrupt.h"

#include <unistd.h>

#include <csignal>

#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

constexpr int kExitInterrupted = 130;
constexpr absl::string_view kCutOff =
    "\nstopped in the middle of long work; the last checkpoint counts, go on with the same command and --resume\n";

// The handlers call only what is safe in them.
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t paused = 0;
volatile std::sig_atomic_t time_is_over = 0;
volatile std::sig_atomic_t stop_seconds = 0;

[[noreturn]] void EndNow() {
  // Nothing can be done about a standard error that takes no text.
  if (::write(STDERR_FILENO, kCutOff.data(), kCutOff.size()) < 0) ::_exit(kExitInterrupted);
  ::_exit(kExitInterrupted);
}

void OnSignal(int /*signal*/) {
  if (interrupted != 0) ::_exit(kExitInterrupted);
  interrupted = 1;
  ::alarm(static_cast<unsigned>(stop_seconds));
}

void OnAlarm(int /*signal*/) {
  if (paused == 0) EndNow();
  time_is_over = 1;
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void CatchInterrupts(unsigned seconds) {
  stop_seconds = static_cast<std::sig_atomic_t>(seconds);
  Handle(SIGALRM, OnAlarm);
  Handle(SIGINT, OnSignal);
  Handle(SIGTERM, OnSignal);
  sigset_t all;
  sigemptyset(&all);
  for (const int signal : {SIGINT, SIGTERM, SIGALRM}) sigaddset(&all, signal);
  pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
}

bool Interrupted() { return interrupted != 0; }

InterruptPause::InterruptPause() { paused = 1; }

InterruptPause::~InterruptPause() {
  paused = 0;
  // A little more, so that who has just written a checkpoint can say so and end by itself.
  if (time_is_over != 0) ::alarm(1);
}

}  // namespace genoserve
