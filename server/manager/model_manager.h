// Keeps the right versions of every model of a store in service.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/config.pb.h"
#include "server/manager/load_marks.h"
#include "server/manager/manager_mailbox.h"
#include "server/manager/model_table.h"
#include "server/manager/serving_version.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// One control thread (or, in tests, calls of Step) looks at the store, asks NextAction what to do with what is there,
/// and does it: loads versions beside those that serve, swaps them, takes others out of memory and gives that back once
/// nobody holds them. Failures leave what serves alone: transient ones are repeated with backoff, others quarantine the
/// digest of the manifest until it changes. A store that cannot be read changes nothing. Thread-safe; no call but
/// Start, Stop, Step and WaitUntil ever waits for the store or for a load.
class ModelManager {
 public:
  struct Options {
    DeviceKind device = DeviceKind::kCpu;
    Precision precision = Precision::kFp32;
    ManagerSettings settings;
    const Clock* clock = &Clock::Steady();
    /// Runs a load. Inline in tests, a thread of low priority in production.
    std::function<void(std::function<void()>)> executor;
    /// Folder that remembers loads with which the process died; empty = none.
    std::string load_marks;
    /// Told, on the thread of a step and without a lock, that some status has changed. May be empty.
    std::function<void()> on_change;
    /// Of the jitter of retries; servers of one store should differ.
    uint64_t seed = std::random_device()();
  };

  /// `store` and `metrics` must outlive the manager.
  ModelManager(CheckpointStore& store, Metrics& metrics, Options options);
  /// Waits for a load that runs. Handles may be held longer than the manager lives.
  ~ModelManager();

  /// Starts the control thread. The first look at the store is done when it returns.
  void Start();
  /// No looks from now on, and who waits for one is told so. Does not wait for a look that runs.
  void LookNoMore();
  /// The same, and ends the control thread; versions go on serving.
  void Stop();

  /// One step: frees what nobody holds, takes settings over, looks at the store if that is due or asked for, does what
  /// is to be done and begins at most one load.
  void Step();

  /// Has the control thread look at the store at once. `done` is called after that look, on that thread: OK, or
  /// UNAVAILABLE where the store cannot be read. It is called before LookNow returns where no look comes: UNAVAILABLE
  /// once the manager is stopped, RESOURCE_EXHAUSTED where too many wait already. Exactly one call is made; it must not
  /// block.
  void LookNow(const std::function<void(const absl::Status&)>& done) const;

  /// Takes the settings over at the next step, which comes at once.
  void Configure(ManagerSettings settings);

  /// Runs `task` on the control thread, where it may block on the store, then looks at the store. `done` is called as
  /// LookNow calls it, with the first error of the two.
  void ChangeStore(std::function<absl::Status()> task, const std::function<void(const absl::Status&)>& done);

  /// A version that was chosen for a request.
  struct Choice {
    ModelHandle handle;
    bool canary = false;  ///< by the share of the label "canary"
  };

  /// The version that answers requests: `version` a decimal number, or, where `digest` is given, the version that has
  /// it, else the default version, or the canary, as `sticky` decides (empty: the default). One that is in the store
  /// and not in memory is loaded, for which RetryLater tells to wait. MissingResource or UnmetPrecondition otherwise.
  absl::StatusOr<Choice> Find(const std::string& model, const std::string& version, const std::string& digest,
                              absl::string_view sticky) const;

  /// Tries a version that failed once more: it counts as never seen. MissingResource, or FAILED_PRECONDITION where it
  /// did not fail.
  absl::Status Retry(const std::string& model, int64_t version);

  /// Loads a version and keeps it loaded, whatever policy and budget say, or no longer does. MissingResource where it
  /// is neither known nor in the store.
  absl::Status Pin(const std::string& model, int64_t version, bool pinned);

  /// Takes a version, or all versions of a model (0), out of memory once its streams have ended; the next request for
  /// it loads it again. Returns those that it concerns. MissingResource; FAILED_PRECONDITION where one is pinned.
  absl::StatusOr<std::vector<int64_t>> Unload(const std::string& model, int64_t version);

  /// All versions that are known, by model, newest first.
  std::vector<VersionStatus> List() const;

  /// How the last look at the store went: OK, or what could not be read, the models that it names or all; and when
  /// the store could last be read (InfinitePast = never).
  struct StoreState {
    absl::Status status;
    absl::Time last_look = absl::InfinitePast();
  };
  StoreState store_state() const;

  /// Bytes of all loaded versions, as the budget counts them.
  int64_t memory_bytes() const;

  /// Handles that are held beside the manager's own, by requests and jobs, and versions that are loaded.
  struct Held {
    int64_t handles = 0;
    int64_t versions = 0;
  };
  Held held() const;

  /// The store was looked at, each model found at the first look has been tried, and one serves unless there was none.
  bool Ready() const;

  /// Waits until the statuses fulfil a condition; false where the time ran out first.
  bool WaitUntil(const std::function<bool(const std::vector<VersionStatus>&)>& condition, absl::Duration timeout) const;

 private:
  struct LogLine {
    bool error = false;
    std::string text;
  };

  void Run();
  void FreeUnheld();
  void TakeSettings();
  absl::Status LookAtStore();
  void FindDigests();
  // Does what is to be done now, up to the beginning of a load.
  void Act();
  void Estimate(const Action& action);
  void Verify(const Action& action);
  void Load(const Action& action);
  void EndLoad();
  absl::Status Guarded(const std::function<absl::Status(const LoadOptions&)>& work);
  ModelHandle MakeHandle(std::unique_ptr<const ServingVersion> version) const;
  void Fail(const Action& action, const std::string& digest, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Has requests find what the table says; after each change of it.
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnAnswer(const std::string& model, int64_t before, int64_t version) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<const AnswerMap> answers() const;
  // Writes the lines that came up while a lock was held.
  void WriteLog();

  CheckpointStore& store_;
  Metrics& metrics_;
  const Options options_;
  const LoadMarks marks_;
  const std::shared_ptr<ManagerMailbox> mailbox_;

  // Held for moments, never across the store, a load, or a log.
  mutable absl::Mutex mutex_;
  ModelTable table_ ABSL_GUARDED_BY(mutex_);
  StoreState store_state_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> first_models_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_look_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool looked_ ABSL_GUARDED_BY(mutex_) = false;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  bool loading_ ABSL_GUARDED_BY(mutex_) = false;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<LogLine> log_ ABSL_GUARDED_BY(mutex_);
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  const absl::Time started_;

  // A copy of the table's, for the many that ask for no version. Taken after mutex_, for the copy of a pointer.
  mutable absl::Mutex answers_mutex_;
  std::shared_ptr<const AnswerMap> answers_ ABSL_GUARDED_BY(answers_mutex_);
  std::thread thread_;
};

}  // namespace genoserve
