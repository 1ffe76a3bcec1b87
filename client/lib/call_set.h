// The calls that a client has in flight, so that one word ends them all.
#pragma once

#include <grpcpp/client_context.h>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace genoserve {

/// Calls in flight and waits between attempts. Thread-safe.
class CallSet {
 public:
  CallSet() = default;
  /// One that is cancelled with `parent`, which must outlive it, and may be cancelled before it.
  explicit CallSet(CallSet* parent);
  ~CallSet();
  CallSet(const CallSet&) = delete;
  CallSet& operator=(const CallSet&) = delete;

  /// Takes in a call until Remove; where the set was cancelled the call is too.
  void Add(grpc::ClientContext* call) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(grpc::ClientContext* call) ABSL_LOCKS_EXCLUDED(mutex_);

  /// Cancels every call in flight and every one to come, and ends all waits.
  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_);
  bool cancelled() const ABSL_LOCKS_EXCLUDED(mutex_);

  /// Waits; false as soon as the set is cancelled.
  bool Wait(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  CallSet* const parent_ = nullptr;
  mutable absl::Mutex mutex_;  // of a parent taken before those of its children
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<CallSet*> children_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace genoserve
