// Keeps the newest version of every model of a store in service.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/base/clock.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/config.pb.h"
#include "server/manager/serving_version.h"
#include "server/manager/version_policy.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// What is known of one version, for status, health and logs.
struct VersionStatus {
  std::string model;
  int64_t version = 0;
  v1::ModelState state = v1::MODEL_STATE_UNSPECIFIED;
  bool is_default = false;                       ///< answers requests that name no version
  bool is_canary = false;                        ///< gets a share of them
  bool pinned = false;                           ///< stays loaded, whatever policy and budget say
  std::vector<std::string> labels;               ///< of the store, sorted
  std::string reason;                            ///< of a failure, or why it is not in memory
  std::string digest;                            ///< of the artifact; empty where the manifest could not be read
  int attempts = 0;                              ///< of loading it that failed, since it was last well
  absl::Time retry_at = absl::InfiniteFuture();  ///< of the next attempt after a failure; InfiniteFuture = none
  bool quarantined = false;                      ///< this digest is not tried again
  int64_t memory_bytes = 0;                      ///< while it is loaded
  int64_t handles = 0;                           ///< held beside the manager's own
  absl::Duration load_duration;                  ///< of the last load
  absl::Time changed_at;                         ///< when it came into this state
  ModelHandle handle;                            ///< of a serving or draining version
};

/// What can change while the manager runs; taken whole at the next step.
struct ManagerSettings {
  std::vector<v1::ModelConfig> models;     ///< each name once; "" is all that are not named
  std::optional<VersionGate> gate;         ///< that versions must pass to be loaded from now on; none = all may
  absl::Duration poll = absl::Seconds(2);  ///< between looks at the store
  int64_t memory_budget = 0;               ///< bytes of all loaded versions; 0 = no limit
};

/// One control thread (or, in tests, calls of Step) looks at the store, asks the policy what to load, has it loaded
/// beside the version that serves, swaps the two, and frees versions that nobody holds any more. Failures leave the
/// serving version alone: transient ones are repeated with backoff, others quarantine the digest of the manifest until
/// it changes. A store that cannot be read changes nothing. Thread-safe.
class ModelManager {
 public:
  struct Options {
    DeviceKind device = DeviceKind::kCpu;
    Precision precision = Precision::kFp32;
    ManagerSettings settings;
    const Clock* clock = &Clock::Real();
    /// Runs a load. Inline in tests, a thread of low priority in production.
    std::function<void(std::function<void()>)> executor;
    /// Told, on the thread of a step and without a lock, that some status has changed. May be empty.
    std::function<void()> on_change;
  };

  /// `store` and `metrics` must outlive the manager.
  ModelManager(CheckpointStore& store, Metrics& metrics, Options options);
  /// Waits for a load that runs. Handles may be held longer than the manager lives.
  ~ModelManager();

  /// Starts the control thread. The first look at the store is done when it returns.
  void Start();
  /// Ends the control thread; versions go on serving.
  void Stop();

  /// One step: frees what nobody holds, looks at the store if that is due or asked for, begins at most one load.
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

  /// The version that answers requests: `version` a decimal number, or empty for the default version, or, where
  /// `digest` is given, for the version that has it. MissingResource, UnmetPrecondition or RetryLater otherwise.
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
  // Default versions by model; a swap replaces the whole map.
  using ServingMap = std::map<std::string, ModelHandle>;

  struct Entry {
    v1::ModelState state = v1::MODEL_STATE_UNSPECIFIED;
    std::string reason;
    std::string digest;
    int attempts = 0;
    absl::Time retry_at = absl::InfiniteFuture();
    std::weak_ptr<const ServingVersion> handle;
  };
  using Entries = std::map<int64_t, Entry>;

  // Who waits for a look, and what is to be done before it.
  struct Looker {
    std::function<absl::Status()> task;  // may be empty
    std::function<void(const absl::Status&)> done;
  };

  // What others leave for the control thread: versions that nobody holds any more, and a reason to look. Shared with
  // the deleters of the handles; its mutex is the last one to be taken.
  struct Mailbox {
    absl::Mutex mutex;
    std::vector<std::unique_ptr<const ServingVersion>> unheld ABSL_GUARDED_BY(mutex);
    std::vector<Looker> lookers ABSL_GUARDED_BY(mutex);
    std::optional<ManagerSettings> settings ABSL_GUARDED_BY(mutex);  // to be taken over
    bool woken ABSL_GUARDED_BY(mutex) = false;
    bool stopping ABSL_GUARDED_BY(mutex) = false;
  };

  void Run();
  void FreeUnheld();
  void Enqueue(Looker looker) const;
  std::vector<Looker> TakeLookers();
  absl::Status LookAtStore();
  void LiftQuarantines();
  void BeginLoad();
  void Load(const std::string& model, int64_t version);
  void FinishLoad(const std::string& model, int64_t version, const std::string& digest,
                  absl::StatusOr<std::unique_ptr<ServingVersion>> loaded);
  ModelHandle MakeHandle(std::unique_ptr<const ServingVersion> version) const;
  void Serve(const std::string& model, int64_t version, ModelHandle handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetState(const std::string& model, int64_t version, Entry& entry, v1::ModelState state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<VersionStatus> ListLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  bool AllTried() const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::Status WhyNotServed(const std::string& model, int64_t version) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  CheckpointStore& store_;
  Metrics& metrics_;
  const Options options_;
  const std::shared_ptr<Mailbox> mailbox_;

  mutable absl::Mutex mutex_;
  std::map<std::string, Entries> models_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const ServingMap> serving_ ABSL_GUARDED_BY(mutex_);
  StoreListing listing_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> first_models_ ABSL_GUARDED_BY(mutex_);
  bool looked_ ABSL_GUARDED_BY(mutex_) = false;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  ManagerSettings settings_ ABSL_GUARDED_BY(mutex_);
  StoreState store_state_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_look_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  bool loading_ ABSL_GUARDED_BY(mutex_) = false;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace genoserve
