#include "client/lib/backoff.h"

#include <algorithm>

#include "client/lib/rpc_status.h"

namespace genoserve {

std::optional<absl::Duration> Backoff::Next(const absl::Status& status) {
  const std::optional<absl::Duration> asked = RetryDelayOf(status);
  const bool curable = absl::IsUnavailable(status) || (absl::IsResourceExhausted(status) && asked.has_value());
  if (!curable || attempts_ >= retries_ || asked.value_or(absl::ZeroDuration()) > kLongestBackoff) return std::nullopt;
  absl::Duration bound = first_;
  for (int i = 0; i < attempts_ && bound < kLongestBackoff; ++i) bound *= 2;
  bound = std::min(bound, kLongestBackoff);
  ++attempts_;
  // Clients that were refused together must not come back together, so the server's own delay is spread as well.
  const absl::Duration jittered = bound * absl::Uniform(random_, 0.5, 1.0);
  if (!asked.has_value()) return jittered;
  return std::max(jittered, *asked * absl::Uniform(random_, 1.0, 1.25));
}

}  // namespace genoserve
