// How a training goes: a bar on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "trainer/loop/observer.h"

namespace genoserve {

/// What the progress is written to.
struct ProgressStyle {
  bool bar = false;     ///< one line that is drawn again, at most 5 times a second; else one plain line each 10 s
  bool colour = false;  ///< of the bar
  size_t width = 80;    ///< columns of the terminal, for the bar
};

/// The style for standard error: a bar where it is a terminal that is not dumb, in colour unless NO_COLOR is set
/// (no-color.org).
ProgressStyle StyleOfStandardError();

/// Shows steps done, steps a second, time left, and each loss as its mean since it was shown last; a line each for what
/// happens beside steps. Not thread-safe.
class Progress final : public TrainingObserver {
 public:
  /// `out` and `clock` must outlive the object. The run goes from `first_step` to `total_steps`, or for `max_time` if
  /// that is over sooner.
  Progress(std::ostream& out, const ProgressStyle& style, const Clock& clock, int64_t first_step, int64_t total_steps,
           absl::Duration max_time);

  void OnStep(int64_t step, const Losses& losses) override;
  void OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) override;
  void OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) override;
  /// The bar goes on below the line.
  void OnMessage(absl::string_view line) override;
  /// Shows the last state and ends the bar's line.
  void OnEnd() override;

 private:
  void Show(absl::Time now);
  std::string Describe(absl::Time now) const;
  std::string Bar(absl::string_view text) const;

  std::ostream& out_;
  const ProgressStyle style_;
  const Clock& clock_;
  const int64_t total_steps_;
  const absl::Duration max_time_;
  const absl::Time began_;
  absl::Time shown_;
  int64_t step_;
  int64_t stepped_ = 0;     // times in this run, those included that were rolled back
  bool line_open_ = false;  // the bar stands on the current line
  Losses sums_;             // since the last time they were shown
  int64_t summed_ = 0;
};

/// A duration for people: "12 s", "3 min 05 s", "2 h 10 min".
std::string HumanDuration(absl::Duration duration);

}  // namespace genoserve
