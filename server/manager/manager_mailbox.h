// What others leave for a manager's control thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/status.h"
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

  /// Waits until something was left or the time has passed, whatever the machine's clock is set to meanwhile. False
  /// once it is stopped.
  bool Await(absl::Duration most);

  std::vector<Looker> TakeLookers();
  std::optional<ManagerSettings> TakeSettings();
  std::vector<std::unique_ptr<const ServingVersion>> TakeReturned();

 private:
  // Those of the standard library: a wait of Abseil's with a timeout ends by the machine's clock, which may be set
  // back.
  std::mutex mutex_;
  std::condition_variable changed_;
  // All under mutex_.
  std::vector<std::unique_ptr<const ServingVersion>> returned_;
  std::vector<Looker> lookers_;
  std::optional<ManagerSettings> settings_;
  bool woken_ = false;
  bool stopping_ = false;
};

}  // namespace genoserve
