// What a manager does next: one pure function of everything that it knows.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "server/manager/version_policy.h"

namespace genoserve {

/// Everything that an action depends on.
struct ServerFacts {
  std::map<std::string, ModelFacts> models;
  int64_t memory_budget = 0;  ///< bytes of all versions in memory; 0 = no limit
  bool loading = false;       ///< a load runs; there is one at a time
  absl::Time now;
};

/// One thing to do with one version.
struct Action {
  enum class Kind {
    kNone,      ///< nothing now
    kRetire,    ///< out of memory: another one has taken its place, or needs its room to do so
    kPark,      ///< out of memory until a request asks for it
    kRevive,    ///< back into service before it was freed
    kEstimate,  ///< find out how much memory it takes
    kOutgrow,   ///< it takes more than the whole budget
    kDefer,     ///< there is no room for it now
    kVerify,    ///< read it all, so that what serves is not given up for one that cannot be loaded
    kLoad,      ///< bring it into memory
  };
  Kind kind = Kind::kNone;
  std::string model;
  int64_t version = 0;

  bool operator==(const Action&) const = default;
};

/// Decides. Versions that are not kept leave memory first; then the most urgent one that can be had is brought there,
/// loads one at a time. Within a budget:
///
/// - a version is loaded beside the one that it replaces where both fit, if need be after versions have been parked
///   that nobody holds, the least recently used first: for one that was asked for or is pinned any of them, for another
///   one those that were used before its model was last used. Pinned ones are never parked, what answers for the
///   version's own model is not parked for it;
/// - where that is not enough, what answers for the model is retired to make room for its target, once that has been
///   read and verified: it takes no new streams, and the target is loaded when its last one has ended;
/// - where even that is not enough, it waits until there is room, and is deferred for that; a pinned one is loaded all
///   the same.
///
/// Room that will be given back is kept for the more urgent. A budget that is exceeded parks what nobody holds.
Action NextAction(const ServerFacts& facts);

/// Bytes of all versions in memory, those included that are loading or leave.
int64_t MemoryInUse(const ServerFacts& facts);

}  // namespace genoserve
