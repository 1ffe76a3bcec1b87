// Time as an interface, so that tests set it.
#pragma once

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace genoserve {

/// Tells the time. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  /// The time now.
  virtual absl::Time Now() const = 0;

  /// The machine's clock; lives for ever.
  static const Clock& Real();
};

/// A clock that stands still until a test moves it. Thread-compatible: move it from one thread.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::UnixEpoch()) : now_(now) {}
  absl::Time Now() const override { return now_; }
  /// Moves the clock on by `duration`.
  void Advance(absl::Duration duration) { now_ += duration; }

 private:
  absl::Time now_;
};

}  // namespace genoserve
