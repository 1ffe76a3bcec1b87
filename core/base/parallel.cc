#include "core/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "core/base/cpus.h"

namespace genoserve {

void ParallelFor(size_t count, absl::FunctionRef<void(size_t)> work) {
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;
  const size_t threads = std::min(count, static_cast<size_t>(DefaultWorkers()));
  for (size_t i = 1; i < threads; ++i) helpers.emplace_back(run);
  run();
}

}  // namespace genoserve
