// When a call that failed is worth another try, and after what wait.
#pragma once

#include <optional>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

namespace genoserve {

/// The longest wait between two attempts. A server that asks for a longer one is not tried again.
inline constexpr absl::Duration kLongestBackoff = absl::Minutes(1);

/// Exponential backoff with jitter over a bounded number of attempts. Not thread-safe.
class Backoff {
 public:
  /// `retries` attempts after the first; waits grow from `first` by doubling, to at most kLongestBackoff.
  Backoff(int retries, absl::Duration first) : retries_(retries), first_(first) {}

  /// The wait before the next attempt; nothing where there shall be none: the attempts are used up, or waiting does not
  /// cure the failure. UNAVAILABLE may always be cured, RESOURCE_EXHAUSTED where the server says when (RetryInfo).
  /// The wait is drawn from the upper half of the doubling bound, and is never shorter than the server asks.
  std::optional<absl::Duration> Next(const absl::Status& status);

  /// There was progress: the attempts count anew.
  void Reset() { attempts_ = 0; }

 private:
  int retries_;
  absl::Duration first_;
  int attempts_ = 0;
  absl::BitGen random_;
};

}  // namespace genoserve
