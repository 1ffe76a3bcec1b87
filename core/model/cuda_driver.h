// What NVIDIA's driver tells of GPUs, asked without LibTorch: a server without a GPU never loads that.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace genoserve {

/// OK where the driver shows a GPU to this process; FAILED_PRECONDITION, with what is missing, otherwise.
absl::Status FindGpu();

/// The compute capability of the first GPU, "sm_90" and the like; "sm_unknown" where the driver does not tell.
std::string GpuArchitecture();

}  // namespace genoserve
