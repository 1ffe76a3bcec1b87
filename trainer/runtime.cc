#include "trainer/runtime.h"

#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace genoserve {

void SetUpRuntime(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") == nullptr && std::getenv("OMP_WAIT_POLICY") == nullptr) {
    ::setenv("GOMP_SPINCOUNT", "0", 1);
    ::execv("/proc/self/exe", argv);  // returns only where it fails; then it goes on, slower
  }
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) {
    ::mallopt(M_TRIM_THRESHOLD, -1);
    ::mallopt(M_MMAP_MAX, 0);
    ::mallopt(M_TOP_PAD, 64 << 20);
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace genoserve
