#include "server/scheduler/backlog.h"

#include <algorithm>
#include <cmath>

namespace genoserve {
namespace {

constexpr double kMemory = 10;  // seconds
constexpr int kEnough = 8;      // measures
constexpr absl::Duration kShortestWait = absl::Milliseconds(100);
constexpr absl::Duration kLongestWait = absl::Seconds(60);
constexpr absl::Duration kGuess = absl::Seconds(1);

}  // namespace

void RateMeter::Add(double amount, absl::Duration time) {
  const double seconds = std::max(0.0, absl::ToDoubleSeconds(time));
  const double kept = std::exp(-seconds / kMemory);
  amount_ = amount_ * kept + amount;
  seconds_ = seconds_ * kept + seconds;
  if (amount > 0) measures_ = std::min(measures_ + 1, kEnough);
}

std::optional<double> RateMeter::PerSecond() const {
  if (measures_ < kEnough || seconds_ <= 0) return std::nullopt;
  return amount_ / seconds_;
}

absl::Duration BoundedWait(absl::Duration wait) { return std::clamp(wait, kShortestWait, kLongestWait); }

void Backlog::Advance(absl::Time now, int64_t sent) {
  if (samples_ > 0) sent_.Add(static_cast<double>(sent), now - mark_);
  mark_ = now;
}

void Backlog::Add(int64_t samples, absl::Time now) {
  Advance(now, 0);
  samples_ += samples;
}

void Backlog::Drain(int64_t samples, absl::Time now) {
  Advance(now, samples);
  samples_ -= samples;
}

void Backlog::Drop(int64_t samples, absl::Time now) {
  Advance(now, 0);
  samples_ -= samples;
}

absl::Duration Backlog::Wait(int64_t samples, absl::Time now) {
  if (Fits(samples)) return absl::ZeroDuration();
  Advance(now, 0);
  const std::optional<double> rate = sent_.PerSecond();
  if (!rate.has_value()) return kGuess;
  const auto excess = static_cast<double>(samples - (limit_ - samples_));
  // Without a rate to speak of the quotient is infinite, which the longest wait bounds.
  return BoundedWait(absl::Seconds(excess / *rate));
}

}  // namespace genoserve
