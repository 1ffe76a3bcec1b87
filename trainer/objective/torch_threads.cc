// Compiled with OpenMP, which at::parallel_for needs to be more than a plain loop.
#include "trainer/objective/torch_threads.h"

#include <ATen/Parallel.h>

namespace genoserve {

void OnTorchThreads(int64_t count, int64_t grain, absl::FunctionRef<void(int64_t, int64_t)> work) {
  at::parallel_for(0, count, grain, [&](int64_t first, int64_t last) { work(first, last); });
}

}  // namespace genoserve
