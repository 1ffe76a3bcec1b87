// How much is queued, how much may be, and how fast it goes.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace genoserve {

/// A rate, averaged with weights that fall by e every ten seconds of measured time. Not thread-safe.
class RateMeter {
 public:
  /// `amount` was done in `time`, which may be 0 for parts of what is done at once.
  void Add(double amount, absl::Duration time);
  /// Amount a second; nothing until there is enough to go by.
  std::optional<double> PerSecond() const;

 private:
  double amount_ = 0;
  double seconds_ = 0;
  int measures_ = 0;
};

/// A wait as it is told to callers: 0.1 to 60 seconds.
absl::Duration BoundedWait(absl::Duration wait);

/// The samples that were admitted and not yet sent, of one principal or of all. Not thread-safe.
class Backlog {
 public:
  explicit Backlog(int64_t limit) : limit_(limit) {}

  int64_t samples() const { return samples_; }
  int64_t limit() const { return limit_; }
  /// What was admitted under another limit stays.
  void SetLimit(int64_t limit) { limit_ = limit; }
  /// Whether so many more are within the limit.
  bool Fits(int64_t samples) const { return samples <= limit_ - samples_; }

  void Add(int64_t samples, absl::Time now);
  /// Samples were sent.
  void Drain(int64_t samples, absl::Time now);
  /// Samples that nobody wants any more.
  void Drop(int64_t samples, absl::Time now);

  /// How long until so many more fit at the rate at which samples were sent of late, bounded; a second where that is
  /// not known, none where they fit now.
  absl::Duration Wait(int64_t samples, absl::Time now);

 private:
  // Time passes, which counts only while something is queued.
  void Advance(absl::Time now, int64_t sent);

  int64_t limit_;
  int64_t samples_ = 0;
  absl::Time mark_ = absl::InfinitePast();  // up to where time was counted
  RateMeter sent_;
};

}  // namespace genoserve
