// The streams of a server: how many there are, what they hold, and the end of those that are stuck at their clients.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <thread>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "core/base/clock.h"

namespace genoserve {

class LiveStream;

/// Thread-safe. Outlives its streams.
class LiveStreams {
 public:
  /// A stream whose client does not take a whole message within `patience` is stalled: it would keep its place, its
  /// version and its memory for ever. Infinite = none is. The clock is a steady one and lives as long.
  LiveStreams(absl::Duration patience, const Clock& clock) : patience_(patience), clock_(clock) {}
  LiveStreams(const LiveStreams&) = delete;
  LiveStreams& operator=(const LiveStreams&) = delete;

  int64_t streams() const { return streams_; }
  /// Of genotypes handed to gRPC and not yet taken by the transport.
  int64_t writing_bytes() const { return writing_bytes_; }
  absl::Duration patience() const { return patience_; }

  /// Cancels streams that are stalled, once each. From one thread at a time.
  void CancelStalled();

 private:
  friend class LiveStream;

  LiveStream* FindStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration patience_;
  const Clock& clock_;
  std::atomic<int64_t> streams_ = 0;
  std::atomic<int64_t> writing_bytes_ = 0;
  absl::Mutex mutex_;
  std::unordered_set<LiveStream*> calls_ ABSL_GUARDED_BY(mutex_);   // those that may be cancelled
  const LiveStream* cancelling_ ABSL_GUARDED_BY(mutex_) = nullptr;  // whose call is in use, without the lock
  std::thread::id canceller_ ABSL_GUARDED_BY(mutex_);               // by this thread
};

/// One stream's part of that. Its calls are of the one who writes.
class LiveStream {
 public:
  /// Of a stream that writes nothing.
  explicit LiveStream(LiveStreams& all);
  /// `cancel` cancels the call. It may end the call within, on this thread or on another.
  LiveStream(LiveStreams& all, std::function<void()> cancel);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  /// A message is being written, with so many bytes of genotypes.
  void BeginWrite(int64_t bytes);
  /// It has been taken.
  void EndWrite();
  /// The call is over: `cancel` is not called any more, and not being called but by this thread.
  void EndCall();
  /// ABORTED where the stream was cancelled because it was stalled, else OK.
  absl::Status stalled() const;

 private:
  friend class LiveStreams;

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  LiveStreams& all_;
  const std::function<void()> cancel_;
  int64_t writing_ = 0;                  // bytes
  std::atomic<int64_t> since_ = kNever;  // nanoseconds of the clock when the write began
  std::atomic<bool> stalled_ = false;
};

/// Looks at streams from time to time, in a thread of its own, until it is destroyed.
class StallWatch {
 public:
  explicit StallWatch(LiveStreams& streams);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace genoserve
