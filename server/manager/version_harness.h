// The life of one version in a server: which states there are, and what leads from one to the next.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Where a version is. One ModelState may stand for two of them.
enum class VersionPhase {
  kNew,          ///< in the store, or gone from it; never loaded, or freed after it was replaced
  kLoading,      ///< being read, verified, loaded, warmed up and checked
  kServing,      ///< in memory, for new streams too
  kRetiring,     ///< replaced; freed when its streams end, and then new again
  kParking,      ///< taken out of memory; freed when its streams end, and then unloaded
  kUnloaded,     ///< taken out of memory; only a request loads it
  kDeferred,     ///< there is no room for it; loaded once there is
  kFailed,       ///< could not be loaded; tried again in a while
  kQuarantined,  ///< could not be loaded, and would not another time; waits for another digest
  kTooLarge,     ///< more than the whole memory budget; waits for another budget
};

/// What happens to a version.
enum class VersionEvent {
  kLoad,      ///< a load of it begins
  kVerified,  ///< it was read and verified, and that was all that was asked for
  kLoaded,    ///< it was loaded and may serve
  kFail,      ///< its load failed, for a reason that may pass
  kRefuse,    ///< its load failed for good
  kOutgrow,   ///< it needs more than the whole budget
  kDefer,     ///< it needs more than there is now
  kRetire,    ///< another one has taken its place
  kPark,      ///< the memory is wanted for others, or nobody has used it for long
  kFree,      ///< its last stream has ended and its memory is given back
  kRevive,    ///< it is wanted again before it was freed
  kForgive,   ///< what was held against it no longer counts: another digest, budget or gate, or somebody says so
};

/// The phase that an event leads to, or `phase` itself where the event does not apply: the whole table of transitions.
VersionPhase NextPhase(VersionPhase phase, VersionEvent event);

/// Whether the event applies in a phase.
bool Applies(VersionPhase phase, VersionEvent event);

/// What callers are told: kNew is unspecified, kRetiring and kParking are draining, kDeferred is
/// unloaded, the last three are failed.
v1::ModelState StateOf(VersionPhase phase);

/// Whether a version in this phase is in memory, or its memory is not given back yet.
bool IsInMemory(VersionPhase phase);

/// Whether a load that failed with this code may succeed later without a new artifact. All others are quarantined.
bool IsTransient(absl::StatusCode code);

/// The longest time to wait before attempt `attempt` (from 1) is repeated: 1 s, doubling, at most 5 minutes.
absl::Duration RetryDelay(int attempt);

/// One version's phase, with what is told of it. Not thread-safe.
class VersionHarness {
 public:
  /// Takes a transition; false, and nothing is changed, where the event does not apply.
  bool Apply(VersionEvent event, absl::Time now);

  /// A load failed: kFail or kRefuse, by its code. `jitter`, 0 to 1, says where between half of RetryDelay and all of
  /// it the next attempt comes, so that servers of one store do not come all at once.
  bool Fail(const absl::Status& status, double jitter, absl::Time now);

  /// It is larger than the budget, or otherwise not loaded, for this reason.
  void set_reason(std::string reason) { reason_ = std::move(reason); }

  VersionPhase phase() const { return phase_; }
  v1::ModelState state() const { return StateOf(phase_); }
  const std::string& reason() const { return reason_; }  ///< of a failure, or why it is not in memory
  int attempts() const { return attempts_; }             ///< that failed since it was last well
  absl::Time retry_at() const { return retry_at_; }      ///< of a failed one; InfiniteFuture = never by itself
  absl::Time changed_at() const { return changed_at_; }  ///< when it came into its phase
  bool verified() const { return verified_; }            ///< since its last failure

 private:
  VersionPhase phase_ = VersionPhase::kNew;
  std::string reason_;
  int attempts_ = 0;
  absl::Time retry_at_ = absl::InfiniteFuture();
  absl::Time changed_at_ = absl::InfinitePast();
  bool verified_ = false;
};

}  // namespace genoserve
