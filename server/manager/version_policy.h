// Which version to load next. Pure functions of a snapshot, so that every case is a line of a table test.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Everything that is in a store: versions of each model, ascending. A version that is left out is not wanted.
using StoreListing = std::map<std::string, std::vector<int64_t>>;

/// Looks at a store. An error means that nothing is known, not that the store is empty.
absl::StatusOr<StoreListing> ListStore(const CheckpointStore& store);

/// What the policy has to know of a version that the manager has dealt with.
struct VersionSnapshot {
  v1::ModelState state = v1::MODEL_STATE_UNSPECIFIED;
  absl::Time retry_at = absl::InfiniteFuture();  ///< of a failed version; InfiniteFuture = quarantined
};

/// Versions of one model that the manager has dealt with.
using ModelSnapshot = std::map<int64_t, VersionSnapshot>;

/// The version of a model to bring into service next, or nothing. The newest version of the store serves; the one
/// before it goes on until the new one is ready. A version that failed is passed over for the next older one until its
/// retry is due, but a version that serves is never replaced by an older one while it is in the store.
std::optional<int64_t> NextToServe(const std::vector<int64_t>& in_store, const ModelSnapshot& known, absl::Time now);

/// Whether a load that failed with this code may succeed later without a new artifact. All others are quarantined.
bool IsTransient(absl::StatusCode code);

/// Time to wait before attempt `attempt` (from 1) is repeated: 1 s, doubling, at most 5 minutes.
absl::Duration RetryDelay(int attempt);

}  // namespace genoserve
