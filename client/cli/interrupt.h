// Signals that end the program, as calls and flags.
#pragma once

#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {

/// SIGINT and SIGTERM call a function on a thread of their own, so that partial files are removed in good order; a
/// second one ends the program at once. SIGPIPE and SIGXFSZ become writes that fail. Thread-safe.
class Interrupt {
 public:
  /// Takes the signals over for the whole program. Call once, before any other thread is begun; never destroyed.
  static Interrupt& Install();

  /// Calls `action` when a signal comes, or now if one came already; an empty one calls nothing. Only the last action
  /// counts, and once this returns an earlier one is not running.
  void Call(std::function<void()> action) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Whether a signal came.
  bool raised() const ABSL_LOCKS_EXCLUDED(mutex_);
  /// Whether a pipe was written to that nobody reads.
  static bool BrokenPipe();

 private:
  Interrupt() = default;
  void Watch();

  mutable absl::Mutex mutex_;
  bool raised_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> action_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace genoserve
