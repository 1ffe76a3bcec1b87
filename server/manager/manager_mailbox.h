// What others leave for a manager's control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/manager/model_table.h"
#include "server/manager/serving_version.h"

namespace genoserve {

/// Thread-safe; no call but Await blocks. The deleters of handles share it with the manager, which they may outlive.
/// Its lock is the last one to be taken.
class ManagerMailbox {
 public:
  /// Who waits for a look at the store, and what is to be done before it.
  struct Looker {
    std::function<absl::Status()> task;  ///< may be empty
    std::function<void(const absl::Status&)> done;
  };

  /// Leaves a looker; `done` is called at once where no look comes: UNAVAILABLE once it is stopped, RESOURCE_EXHAUSTED
  /// where too many wait already.
  void Ask(const Looker& looker);
  /// Leaves settings in the place of those that were left before.
  void Configure(ManagerSettings settings);
  /// Leaves a version that nobody holds any more.
  void Return(std::unique_ptr<const ServingVersion> version);
  /// There is something to do.
  void Wake();
  /// Nobody will look any more. All who wait are told so.
  void Stop();

  /// Waits until something was left or the time has passed. False once it is stopped.
  bool Await(absl::Duration most);

  std::vector<Looker> TakeLookers();
  std::optional<ManagerSettings> TakeSettings();
  std::vector<std::unique_ptr<const ServingVersion>> TakeReturned();

 private:
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<const ServingVersion>> returned_ ABSL_GUARDED_BY(mutex_);
  std::vector<Looker> lookers_ ABSL_GUARDED_BY(mutex_);
  std::optional<ManagerSettings> settings_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace genoserve
