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

  /// The machine's clock, which may be set; lives for ever.
  static const Clock& Real();
  /// The same when it is first asked, and then as much later as time has passed, whatever the machine's clock is set
  /// to: for waits, retries and rates. Lives for ever.
  static const Clock& Steady();
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
