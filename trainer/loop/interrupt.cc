#include "trainer/loop/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace genoserve {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnSignal(int /*signal*/) {
  if (interrupted != 0) ::_exit(130);
  interrupted = 1;
}

}  // namespace

void CatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &both, nullptr);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace genoserve
