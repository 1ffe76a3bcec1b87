#include "server/service/version_messages.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace genoserve {

std::string TimeText(absl::Time time) {
  if (time == absl::InfiniteFuture() || time == absl::InfinitePast()) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

v1::Model ToModel(const VersionStatus& status, bool whole) {
  v1::Model model;
  model.set_name(status.model);
  model.set_version(absl::StrCat(status.version));
  model.set_is_default(status.is_default);
  model.set_state(status.state);
  model.set_reason(status.reason);
  model.set_artifact_digest(status.digest);
  for (const std::string& label : status.labels) model.add_labels(label);
  if (whole && status.handle != nullptr) {
    *model.mutable_manifest() = status.handle->manifest;
    model.mutable_manifest()->clear_allele_frequencies();  // for servers, and long
    *model.mutable_engine() = status.handle->engine;
  }
  return model;
}

v1::VersionStatus ToVersionStatus(const VersionStatus& status) {
  v1::VersionStatus message;
  message.set_model(status.model);
  message.set_version(absl::StrCat(status.version));
  message.set_state(status.state);
  message.set_is_default(status.is_default);
  message.set_is_canary(status.is_canary);
  message.set_pinned(status.pinned);
  for (const std::string& label : status.labels) message.add_labels(label);
  message.set_artifact_digest(status.digest);
  message.set_reason(status.reason);
  message.set_attempts(status.attempts);
  message.set_retry_at(TimeText(status.retry_at));
  message.set_quarantined(status.quarantined);
  message.set_memory_bytes(status.memory_bytes);
  message.set_handles(status.handles);
  message.set_load_seconds(absl::ToDoubleSeconds(status.load_duration));
  message.set_changed_at(TimeText(status.changed_at));
  return message;
}

}  // namespace genoserve
