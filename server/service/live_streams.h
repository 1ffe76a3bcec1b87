// The streams of a server: how many there are, what they hold, and the end of those that are stuck at their clients.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace genoserve {

class LiveStream;

/// Thread-safe. Outlives its streams.
class LiveStreams {
 public:
  /// A stream whose client takes nothing of a message for longer than `patience` is cancelled; such a client would keep
  /// its place, its version and its memory for ever. Infinite = none is.
  explicit LiveStreams(absl::Duration patience);
  ~LiveStreams();
  LiveStreams(const LiveStreams&) = delete;
  LiveStreams& operator=(const LiveStreams&) = delete;

  int64_t streams() const { return streams_; }
  /// Of genotypes handed to gRPC and not yet taken by the transport.
  int64_t writing_bytes() const { return writing_bytes_; }

 private:
  friend class LiveStream;

  void Run();
  LiveStream* FindStalled() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration patience_;
  std::atomic<int64_t> streams_ = 0;
  std::atomic<int64_t> writing_bytes_ = 0;
  absl::Mutex mutex_;
  std::unordered_set<LiveStream*> calls_ ABSL_GUARDED_BY(mutex_);   // those that may be cancelled
  const LiveStream* cancelling_ ABSL_GUARDED_BY(mutex_) = nullptr;  // whose context is in use, without the lock
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // none where patience is infinite
};

/// One stream's part of that. Its calls are of the one who writes, but for `stalled`.
class LiveStream {
 public:
  LiveStream(LiveStreams& all, grpc::CallbackServerContext& context);
  /// Of a stream that writes nothing.
  explicit LiveStream(LiveStreams& all);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  /// A message is being written, with so many bytes of genotypes.
  void BeginWrite(int64_t bytes);
  /// It has been taken.
  void EndWrite();
  /// The call is over, and its context is about to go.
  void EndCall();
  /// ABORTED where the stream was cancelled for its client's sake, else OK.
  absl::Status stalled() const;

 private:
  friend class LiveStreams;

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  LiveStreams& all_;
  grpc::CallbackServerContext* context_ = nullptr;  // null = is not to be cancelled; guarded by the mutex of all
  int64_t writing_ = 0;                             // bytes
  std::atomic<int64_t> since_ = kNever;             // nanoseconds of the steady clock when the write began
  std::atomic<bool> stalled_ = false;
};

}  // namespace genoserve
