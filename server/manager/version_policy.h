// Which versions of a model are wanted in memory, and which of them answer. Pure functions, so that every case is a
// line of a table test.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "genoserve/v1/config.pb.h"
#include "server/manager/store_view.h"
#include "server/manager/version_harness.h"

namespace genoserve {

/// For how long after its last use a version stays in memory that only a request wanted.
inline constexpr absl::Duration kOnDemandIdle = absl::Minutes(5);

/// What is known of one version when something is decided.
struct VersionFacts {
  VersionPhase phase = VersionPhase::kNew;
  absl::Time retry_at = absl::InfiniteFuture();  ///< of a failed one
  int attempts = 0;                              ///< that failed
  bool pinned = false;                           ///< by AdminService
  bool asked = false;                            ///< a request named it while it was not in memory
  bool held = false;                             ///< by a request; one that leaves memory has not left it yet
  bool verified = false;                         ///< in the store, since it last failed
  absl::Time last_use = absl::InfinitePast();    ///< by a request, also in vain
  int64_t bytes = 0;                             ///< in memory, or that it will take there; 0 = not known
};

/// What is known of one model.
struct ModelFacts {
  ModelListing listing;
  v1::ModelConfig config;
  std::map<int64_t, VersionFacts> versions;  ///< of the listing, and others that are in memory
  int64_t answering = 0;                     ///< that requests get which name no version; 0 = none
};

/// How badly a version is wanted in memory, most urgent first.
enum class Urgency {
  kOutage,   ///< nothing answers until it does
  kAsked,    ///< a request waits for it
  kDefault,  ///< it is to answer in place of another
  kWanted,   ///< by policy, pin or canary
};

/// What is wanted of one model.
struct ModelWishes {
  int64_t target = 0;              ///< is to answer requests that name no version; 0 = none
  int64_t answering = 0;           ///< answers them for now: the target, or what goes on until that is ready; 0 = none
  int64_t canary = 0;              ///< gets a share of them, once it is in memory; 0 = none
  std::set<int64_t> keep;          ///< are not to be taken out of memory but for their room
  std::map<int64_t, Urgency> get;  ///< are not in memory and to be brought there
};

/// Decides. What is wanted: what the policy says (the newest one where there is none), the version of the label
/// "stable", that of "canary" where it has a share, pinned versions, and those that requests asked for within
/// kOnDemandIdle. The target is the version of "stable", else the newest one that the policy wants.
///
/// - A version that failed is passed over until its retry is due, the policy's next one is wanted in its place.
/// - What answers goes on until the target is in memory, also where its version has gone from the store, the target
///   fails, or nothing is wanted any more. Other versions that have gone from the store are not kept, unless the whole
///   model has.
/// - A version that was taken out of memory stands where it stood, and comes back when it is asked for or pinned: no
///   older one answers for it.
ModelWishes WishesOf(const ModelFacts& model, absl::Time now);

/// Whether all that the policy can do to have a model answer has been tried once.
bool HasBeenTried(const ModelFacts& model, absl::Time now);

/// Whether a request with this key goes to the canary, which gets `percent` of all keys: the same for the same model
/// and key on every server. An empty key does not.
bool GoesToCanary(absl::string_view model, absl::string_view sticky, double percent);

}  // namespace genoserve
