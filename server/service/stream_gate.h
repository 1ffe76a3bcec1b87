// The streams that run: how many there may be, and when they may no longer begin.
#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// Counts streams, for the limit and for the drain. Thread-safe.
class StreamGate {
 public:
  struct Leave {
    void operator()(StreamGate* gate) const { gate->Exit(); }
  };
  /// A place in the gate, given back when it is destroyed.
  using Ticket = std::unique_ptr<StreamGate, Leave>;

  StreamGate(int max_streams, Metrics& metrics) : max_streams_(max_streams), metrics_(metrics) {}

  /// RESOURCE_EXHAUSTED with RetryInfo where max_streams run; UNAVAILABLE, with RetryInfo too, once closed. An eighth
  /// of max_streams beyond them, one at least, is kept for small streams and for lists of variants, so that long
  /// streams cannot shut them out.
  absl::StatusOr<Ticket> Enter(bool small);

  /// Lets no new streams in.
  void Close();
  /// Ends all waits below at once, now and later.
  void Hurry();
  /// Waits for the time, or for Hurry.
  void Pause(absl::Duration time);
  /// Waits until no stream runs, at most for the time or until Hurry; whether none runs.
  bool AwaitIdle(absl::Duration time);

  /// Streams that run.
  int streams() const;

 private:
  void Exit();

  const int max_streams_;
  Metrics& metrics_;
  mutable absl::Mutex mutex_;
  int streams_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace genoserve
