// What a manager knows of all models, and what requests find in it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "genoserve/v1/config.pb.h"
#include "server/manager/next_action.h"
#include "server/manager/serving_version.h"
#include "server/manager/store_view.h"
#include "server/manager/version_harness.h"

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
  std::string digest;                            ///< of the artifact; empty where the manifest has not been read
  int attempts = 0;                              ///< of loading it that failed, since it was last well
  absl::Time retry_at = absl::InfiniteFuture();  ///< of the next attempt after a failure; InfiniteFuture = none
  bool quarantined = false;                      ///< this digest is not tried again
  int64_t memory_bytes = 0;                      ///< while it is in memory
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
  int64_t memory_budget = 0;               ///< bytes of all versions in memory; 0 = no limit
};

/// When a version was last asked for, and whether that was in vain. Thread-safe: requests write it, decisions read it.
struct VersionUse {
  std::atomic<int64_t> last_nanos = INT64_MIN;  // Unix
  std::atomic<bool> asked = false;

  void Note(absl::Time now) { last_nanos.store(absl::ToUnixNanos(now), std::memory_order_relaxed); }
};

/// What answers requests that name no version, by model. Immutable: a change replaces the whole map.
struct Answers {
  ModelHandle handle;
  std::shared_ptr<VersionUse> use;
  ModelHandle canary;                      ///< null = none in memory
  std::shared_ptr<VersionUse> canary_use;  ///< null = none that is, or was parked and comes back when it is asked for
  double canary_percent = 0;
};
using AnswerMap = std::map<std::string, Answers>;

/// "version N of model "M"", as messages name it.
std::string NameOfVersion(const std::string& model, int64_t version);

/// Thread-compatible: calls of const methods may be made at the same time. No call blocks.
class ModelTable {
 public:
  struct Hooks {
    /// Told of each new state of a version; MODEL_STATE_UNSPECIFIED = it is gone.
    std::function<void(const std::string& model, int64_t version, v1::ModelState)> on_state;
    /// Told that another version answers; `before` is 0 where none did.
    std::function<void(const std::string& model, int64_t before, int64_t version)> on_answer;
  };
  explicit ModelTable(Hooks hooks) : hooks_(std::move(hooks)), answers_(std::make_shared<const AnswerMap>()) {}

  /// Takes settings over. Versions that another budget or gate may let pass are tried again.
  void Configure(ManagerSettings settings, absl::Time now);
  const ManagerSettings& settings() const { return settings_; }

  /// Takes a listing over: versions come, and those that are neither listed nor in memory go.
  void SetListing(StoreListing listing, absl::Time now);
  /// Whether the last look read all of the store. Before one did, what is not known may yet be there.
  void SetReadWhole(bool whole) { read_whole_ = whole; }
  const StoreListing& listing() const { return listing_; }

  /// Everything that NextAction needs. Versions that are held count as used now.
  ServerFacts Facts(absl::Time now, bool loading) const;

  /// Does what is a matter of this table alone: kRetire, kPark, kRevive, kOutgrow, kDefer. For kVerify and kLoad the
  /// version is marked as loading.
  void Apply(const Action& action, absl::Time now);

  /// The memory that a version will take.
  void SetEstimate(const std::string& model, int64_t version, int64_t bytes);
  /// A version that was loading is loaded. `handle` must give the version back once nobody holds it.
  void SetLoaded(const std::string& model, int64_t version, ModelHandle handle, int64_t bytes, absl::Duration duration,
                 absl::Time now);
  /// A version that was loading has been verified.
  void SetVerified(const std::string& model, int64_t version, absl::Time now);
  /// A version could not be loaded, or its manifest not be read. `jitter` as VersionHarness::Fail takes it.
  void SetFailed(const std::string& model, int64_t version, const std::string& digest, const absl::Status& status,
                 double jitter, absl::Time now);
  /// The memory of a version has been given back.
  void SetFreed(const std::string& model, int64_t version, absl::Time now);

  /// Versions that wait for another digest, with the one that they have.
  struct Named {
    std::string model;
    int64_t version = 0;
    std::string digest;
  };
  std::vector<Named> Quarantined() const;
  /// A version whose digest nobody knows, of a model of which a request named one; the newest.
  std::optional<Named> UnknownDigest() const;
  /// What reading a digest told: empty = it cannot be read before the next look. Lifts a quarantine of another one.
  void SetDigest(const std::string& model, int64_t version, const std::string& digest, absl::Time now);

  absl::Status Retry(const std::string& model, int64_t version, absl::Time now);
  absl::Status Pin(const std::string& model, int64_t version, bool pinned, absl::Time now);
  absl::StatusOr<std::vector<int64_t>> Unload(const std::string& model, int64_t version, absl::Time now);

  /// What answers now.
  const std::shared_ptr<const AnswerMap>& answers() const { return answers_; }

  /// The version that a request names by number or digest, else (0, empty, or a digest that no version has) the one
  /// that answers. `wake` is set where there is something to be loaded or looked for, for which RetryLater tells to
  /// wait. MissingResource or UnmetPrecondition otherwise.
  absl::StatusOr<ModelHandle> Find(const std::string& model, int64_t version, const std::string& digest, absl::Time now,
                                   bool* wake) const;

  std::vector<VersionStatus> List() const;
  int64_t MemoryInUse() const;
  int64_t Handles() const;   ///< held by requests
  int64_t InMemory() const;  ///< versions

  /// Whether each of these models has been tried, and one answers unless there was nothing to try.
  bool AllTried(const std::vector<std::string>& models, absl::Time now) const;

 private:
  struct Entry {
    VersionHarness harness;
    std::string digest;
    bool digest_tried = false;  // since the last look, in vain
    int64_t bytes = 0;          // 0 = not known
    absl::Duration load_duration;
    bool pinned = false;
    bool closed = false;  // leaves memory to make room, and is lent to nobody any more
    std::shared_ptr<VersionUse> use = std::make_shared<VersionUse>();
    ModelHandle handle;                            // while it serves
    std::weak_ptr<const ServingVersion> borrowed;  // while it is in memory
  };
  struct Model {
    std::map<int64_t, Entry> versions;
    int64_t answering = 0;
    int64_t canary = 0;  // that is in memory
    // A request named a digest that is not known.
    std::unique_ptr<std::atomic<bool>> digest_asked = std::make_unique<std::atomic<bool>>(false);
  };

  v1::ModelConfig ConfigOf(const std::string& model) const;
  ModelFacts FactsOf(const std::string& name, const Model& model, absl::Time now) const;
  // Handles of a version that requests hold.
  static int64_t Held(const Model& model, int64_t version, const Entry& entry);
  Entry* FindEntry(const std::string& model, int64_t version);
  // MissingResource for a model that is not known, or a version of one that is.
  absl::Status NoModel(const std::string& model) const;
  absl::Status NoVersion(const std::string& model, int64_t version) const;
  // Versions that are in memory, or are to be, because requests asked for them.
  int64_t OnDemand() const;
  // Lends a version out, or notes that it is asked for and says why it cannot be.
  absl::StatusOr<ModelHandle> Lend(const std::string& model, int64_t version, const Entry& entry, absl::Time now,
                                   bool* wake) const;
  absl::StatusOr<ModelHandle> FindDefault(const std::string& name, const Model& model, absl::Time now,
                                          bool* wake) const;
  absl::Status WhyNot(const std::string& model, int64_t version, const Entry& entry, absl::Time now) const;
  bool Move(const std::string& model, int64_t version, Entry& entry, VersionEvent event, absl::Time now);
  void Tell(const std::string& model, int64_t version, const Entry& entry) const;
  // Has the right versions answer.
  void Refresh(absl::Time now);
  void Forgive(absl::Time now, const std::function<bool(const Entry&)>& which);

  const Hooks hooks_;
  ManagerSettings settings_;
  StoreListing listing_;
  bool read_whole_ = false;
  std::map<std::string, Model> models_;
  std::shared_ptr<const AnswerMap> answers_;
};

}  // namespace genoserve
