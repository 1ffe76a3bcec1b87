// Own loops on LibTorch's threads.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace genoserve {

/// Values whose computing is worth another thread, where each takes some ten operations.
inline constexpr int64_t kThreadGrain = 16384;

/// Calls `work(first, last)` for ranges that cover [0, count) once, on LibTorch's threads, and returns when all are
/// done. Where the ranges are cut depends on the number of threads: a result must depend on the index alone. No range
/// has fewer than `grain` indices where there are more; fewer than that are done by the calling thread, since waking
/// another takes longer than some ten thousand values do.
void OnTorchThreads(int64_t count, int64_t grain, absl::FunctionRef<void(int64_t, int64_t)> work);

}  // namespace genoserve
