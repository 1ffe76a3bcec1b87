// Which of several processes this one is, by the environment that torchrun and Kubernetes' training operators set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace genoserve {

/// The place of a process among those that train one generator together.
struct ProcessPlace {
  int rank = 0;         ///< RANK, 0 to size - 1
  int size = 1;         ///< WORLD_SIZE; 1 = alone
  int local_rank = 0;   ///< LOCAL_RANK, among those of this machine; 0 where it is not set
  std::string address;  ///< MASTER_ADDR, where process 0 can be reached
  uint16_t port = 0;    ///< MASTER_PORT
  /// How long a process waits for the others before it gives them up: GENOSERVE_PEER_TIMEOUT, in seconds.
  absl::Duration timeout = absl::Minutes(5);
  /// torchrun itself serves the store at MASTER_ADDR, not process 0 (TORCHELASTIC_USE_AGENT_STORE); `attempt` is
  /// TORCHELASTIC_RESTART_COUNT, which keeps the keys of one start apart from those of the next.
  bool agent_store = false;
  int attempt = 0;
};

/// Value of an environment variable, nothing where it is not set.
using GetVariable = absl::FunctionRef<std::optional<std::string>(const char*)>;

/// Reads the place. Alone where neither RANK nor WORLD_SIZE is set. INVALID_ARGUMENT names a variable that lacks or
/// makes no sense.
absl::StatusOr<ProcessPlace> ReadProcessPlace(GetVariable get);

/// The same from this process' environment.
absl::StatusOr<ProcessPlace> ReadProcessPlace();

/// Narrows CUDA_VISIBLE_DEVICES to the GPU number `local_rank` of those that it names, so that each process of a
/// machine has one of its own, which it sees as device 0. Call before CUDA is loaded. Does nothing where LOCAL_RANK is
/// not set. INVALID_ARGUMENT where CUDA_VISIBLE_DEVICES names too few.
absl::Status TakeOwnGpu(const ProcessPlace& place);

}  // namespace genoserve
