#include "core/base/clock.h"

#include <chrono>

namespace genoserve {
namespace {

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

class SteadyClock final : public Clock {
 public:
  absl::Time Now() const override {
    return begin_ + absl::FromChrono(std::chrono::steady_clock::now() - steady_begin_);
  }

 private:
  const absl::Time begin_ = absl::Now();
  const std::chrono::steady_clock::time_point steady_begin_ = std::chrono::steady_clock::now();
};

}  // namespace

const Clock& Clock::Steady() {
  static const SteadyClock& clock = *new SteadyClock;
  return clock;
}

const Clock& Clock::Real() {
  static const RealClock& clock = *new RealClock;
  return clock;
}

}  // namespace genoserve
