// The one place where LibTorch's exceptions are caught and classified. No LibTorch in this header.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace genoserve {

/// Runs `body` and returns its status, or that of the exception that it threw: RESOURCE_EXHAUSTED where memory ran out,
/// UNAVAILABLE where the device is broken for good, INTERNAL for all others, which are bugs.
absl::Status GuardTorch(absl::FunctionRef<absl::Status()> body);

}  // namespace genoserve
