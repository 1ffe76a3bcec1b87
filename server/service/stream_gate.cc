#include "server/service/stream_gate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);

}  // namespace

absl::StatusOr<StreamGate::Ticket> StreamGate::Enter(bool small) {
  absl::MutexLock lock(&mutex_);
  if (closed_) {
    metrics_.CountRefusal("draining");
    return RetryLater(absl::StatusCode::kUnavailable, "the server is shutting down and takes no new requests", kRetry);
  }
  if (streams_ >= max_streams_ + (small ? std::max(1, max_streams_ / 8) : 0)) {
    metrics_.CountRefusal("streams");
    return RetryLater(absl::StatusCode::kResourceExhausted,
                      absl::StrCat(streams_, " streams run, and no more may at the same time"), kRetry);
  }
  ++streams_;
  metrics_.in_flight_streams().Set(streams_);
  return Ticket(this);
}

void StreamGate::Exit() {
  absl::MutexLock lock(&mutex_);
  --streams_;
  metrics_.in_flight_streams().Set(streams_);
}

void StreamGate::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

void StreamGate::Hurry() {
  absl::MutexLock lock(&mutex_);
  hurry_ = true;
}

void StreamGate::Pause(absl::Duration time) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&hurry_), time);
}

bool StreamGate::AwaitIdle(absl::Duration time) {
  const auto over = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return streams_ == 0 || hurry_; };
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&over), time);
  return streams_ == 0;
}

int StreamGate::streams() const {
  absl::MutexLock lock(&mutex_);
  return streams_;
}

}  // namespace genoserve
