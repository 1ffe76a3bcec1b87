#include "server/manager/version_policy.h"

#include <algorithm>

#include "core/base/status.h"

namespace genoserve {

absl::StatusOr<StoreListing> ListStore(const CheckpointStore& store) {
  StoreListing listing;
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> models, store.ListModels());
  for (const std::string& model : models) {
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<int64_t> versions, store.ListVersions(model));
    if (!versions.empty()) listing.emplace(model, std::move(versions));
  }
  return listing;
}

std::optional<int64_t> NextToServe(const std::vector<int64_t>& in_store, const ModelSnapshot& known, absl::Time now) {
  for (auto version = in_store.rbegin(); version != in_store.rend(); ++version) {
    const auto found = known.find(*version);
    if (found == known.end()) return *version;
    switch (found->second.state) {
      case v1::MODEL_STATE_SERVING:
      case v1::MODEL_STATE_LOADING:
        return std::nullopt;
      case v1::MODEL_STATE_FAILED:
        if (found->second.retry_at <= now) return *version;
        break;
      default:
        return *version;
    }
  }
  return std::nullopt;
}

bool IsTransient(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kInternal:
      return false;
    default:
      return true;
  }
}

absl::Duration RetryDelay(int attempt) {
  return std::min(absl::Seconds(1) * (int64_t{1} << std::clamp(attempt - 1, 0, 20)), absl::Minutes(5));
}

}  // namespace genoserve
