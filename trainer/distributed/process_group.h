// The processes that train one generator together, and what they do together.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainer/distributed/process_place.h"

namespace at {
class Tensor;
}  // namespace at

namespace genoserve {

/// Every process calls the same methods in the same order. Each call waits for all, at most as long as the place says;
/// then, or once another process is gone, it is UNAVAILABLE, and so is every later call. Not thread-safe.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// OK until the first failure, which it keeps.
  virtual absl::Status status() const = 0;

  /// Replaces a dense float tensor by its sum over all processes, the same bits in each.
  virtual absl::Status Sum(at::Tensor& tensor) = 0;
  /// The largest of what the processes give.
  virtual absl::StatusOr<int> Largest(int mine) = 0;
  /// Replaces `bytes` by those of process 0.
  virtual absl::Status Broadcast(std::string& bytes) = 0;

  /// Whether any process said yes.
  absl::StatusOr<bool> Any(bool mine);
  /// FAILED_PRECONDITION, in every process, where one has not the bytes of process 0. `what` says what they are, such
  /// as "the training data".
  absl::Status CheckSame(const std::string& bytes, absl::string_view what);
};

/// The group of a process that is alone: every call is done at once.
std::unique_ptr<ProcessGroup> MakeLoneProcess();

/// Meets the other processes, by Gloo, and for GPUs also by NCCL where `gpus` is true. UNAVAILABLE where they do not
/// all come within the time-out. A lone process for a place of size 1.
absl::StatusOr<std::unique_ptr<ProcessGroup>> JoinProcessGroup(const ProcessPlace& place, bool gpus);

}  // namespace genoserve
