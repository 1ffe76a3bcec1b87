#include "server/manager/version_harness.h"

#include <algorithm>
#include <optional>

namespace genoserve {
namespace {

using Phase = VersionPhase;
using Event = VersionEvent;

struct Transition {
  Phase from;
  Event event;
  Phase to;
};

constexpr Transition kTransitions[] = {
    {Phase::kNew, Event::kLoad, Phase::kLoading},
    {Phase::kNew, Event::kDefer, Phase::kDeferred},
    {Phase::kNew, Event::kFail, Phase::kFailed},
    {Phase::kNew, Event::kRefuse, Phase::kQuarantined},
    {Phase::kNew, Event::kOutgrow, Phase::kTooLarge},
    {Phase::kLoading, Event::kVerified, Phase::kNew},
    {Phase::kLoading, Event::kLoaded, Phase::kServing},
    {Phase::kLoading, Event::kFail, Phase::kFailed},
    {Phase::kLoading, Event::kRefuse, Phase::kQuarantined},
    {Phase::kServing, Event::kRetire, Phase::kRetiring},
    {Phase::kServing, Event::kPark, Phase::kParking},
    {Phase::kRetiring, Event::kPark, Phase::kParking},
    {Phase::kRetiring, Event::kFree, Phase::kNew},
    {Phase::kRetiring, Event::kRevive, Phase::kServing},
    {Phase::kParking, Event::kFree, Phase::kUnloaded},
    {Phase::kParking, Event::kRevive, Phase::kServing},
    {Phase::kUnloaded, Event::kLoad, Phase::kLoading},
    {Phase::kUnloaded, Event::kFail, Phase::kFailed},
    {Phase::kUnloaded, Event::kRefuse, Phase::kQuarantined},
    {Phase::kUnloaded, Event::kOutgrow, Phase::kTooLarge},
    {Phase::kDeferred, Event::kLoad, Phase::kLoading},
    {Phase::kDeferred, Event::kFail, Phase::kFailed},
    {Phase::kDeferred, Event::kRefuse, Phase::kQuarantined},
    {Phase::kDeferred, Event::kOutgrow, Phase::kTooLarge},
    {Phase::kFailed, Event::kLoad, Phase::kLoading},
    {Phase::kFailed, Event::kFail, Phase::kFailed},
    {Phase::kFailed, Event::kRefuse, Phase::kQuarantined},
    {Phase::kFailed, Event::kOutgrow, Phase::kTooLarge},
    {Phase::kFailed, Event::kForgive, Phase::kNew},
    {Phase::kQuarantined, Event::kForgive, Phase::kNew},
    {Phase::kTooLarge, Event::kForgive, Phase::kNew},
};

std::optional<Phase> Find(Phase phase, Event event) {
  for (const Transition& each : kTransitions) {
    if (each.from == phase && each.event == event) return each.to;
  }
  return std::nullopt;
}

}  // namespace

VersionPhase NextPhase(VersionPhase phase, VersionEvent event) { return Find(phase, event).value_or(phase); }

bool Applies(VersionPhase phase, VersionEvent event) { return Find(phase, event).has_value(); }

v1::ModelState StateOf(VersionPhase phase) {
  switch (phase) {
    case Phase::kNew:
      return v1::MODEL_STATE_UNSPECIFIED;
    case Phase::kLoading:
      return v1::MODEL_STATE_LOADING;
    case Phase::kServing:
      return v1::MODEL_STATE_SERVING;
    case Phase::kRetiring:
    case Phase::kParking:
      return v1::MODEL_STATE_DRAINING;
    case Phase::kUnloaded:
    case Phase::kDeferred:
      return v1::MODEL_STATE_UNLOADED;
    case Phase::kFailed:
    case Phase::kQuarantined:
    case Phase::kTooLarge:
      return v1::MODEL_STATE_FAILED;
  }
  return v1::MODEL_STATE_UNSPECIFIED;
}

bool IsInMemory(VersionPhase phase) {
  return phase == Phase::kLoading || phase == Phase::kServing || phase == Phase::kRetiring || phase == Phase::kParking;
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

bool VersionHarness::Apply(VersionEvent event, absl::Time now) {
  const std::optional<Phase> next = Find(phase_, event);
  if (!next.has_value()) return false;
  switch (event) {
    case Event::kLoaded:
    case Event::kForgive:
      attempts_ = 0;
      verified_ = false;
      retry_at_ = absl::InfiniteFuture();
      reason_.clear();
      break;
    case Event::kLoad:
    case Event::kRevive:
    case Event::kFree:
      reason_.clear();
      break;
    case Event::kVerified:
      verified_ = true;
      break;
    case Event::kFail:
    case Event::kRefuse:
      ++attempts_;
      verified_ = false;
      retry_at_ = absl::InfiniteFuture();
      break;
    default:
      break;
  }
  phase_ = *next;
  changed_at_ = now;
  return true;
}

bool VersionHarness::Fail(const absl::Status& status, double jitter, absl::Time now) {
  const bool transient = IsTransient(status.code());
  if (!Apply(transient ? Event::kFail : Event::kRefuse, now)) return false;
  if (transient) retry_at_ = now + RetryDelay(attempts_) * (0.5 + 0.5 * jitter);
  reason_ = std::string(status.message());
  return true;
}

}  // namespace genoserve
