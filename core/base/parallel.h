// Independent pieces of work on all allowed CPUs.
#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace genoserve {

/// Calls `work(i)` once for each i in [0, count), on at most DefaultWorkers() threads, and returns when all are done.
/// Order is not defined: a result must depend on i alone, so that it is the same on any machine. `work` must not throw.
void ParallelFor(size_t count, absl::FunctionRef<void(size_t)> work);

}  // namespace genoserve
