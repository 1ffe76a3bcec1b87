// NCCL through c10d, without CUDA's or NCCL's headers.
#pragma once

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace genoserve {

/// c10d's NCCL backend for the current GPU, from the libtorch_cuda.so that is loaded. Null where that has none of the
/// version that is known here; Gloo then carries the sums of GPUs too, through main memory. Throws LibTorch's
/// exceptions.
c10::intrusive_ptr<c10d::Backend> MakeNcclBackend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  std::chrono::milliseconds timeout);

}  // namespace genoserve
