#include "trainer/loop/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(200);
constexpr absl::Duration kLine = absl::Seconds(10);
constexpr size_t kBarWidth = 20;

}  // namespace

ProgressStyle StyleOfStandardError() {
  ProgressStyle style;
  const char* term = std::getenv("TERM");
  style.bar = ::isatty(STDERR_FILENO) != 0 && term != nullptr && absl::string_view(term) != "dumb";
  const char* no_colour = std::getenv("NO_COLOR");
  style.colour = style.bar && (no_colour == nullptr || *no_colour == '\0');
  winsize size = {};
  if (style.bar && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  return style;
}

std::string HumanDuration(absl::Duration duration) {
  const int64_t seconds = std::max<int64_t>(0, std::llround(absl::ToDoubleSeconds(duration)));
  if (seconds < 60) return absl::StrFormat("%d s", seconds);
  if (seconds < 3600) return absl::StrFormat("%d min %02d s", seconds / 60, seconds % 60);
  return absl::StrFormat("%d h %02d min", seconds / 3600, seconds % 3600 / 60);
}

Progress::Progress(std::ostream& out, const ProgressStyle& style, const Clock& clock, int64_t first_step,
                   int64_t total_steps, absl::Duration max_time)
    : out_(out),
      style_(style),
      clock_(clock),
      total_steps_(total_steps),
      max_time_(max_time),
      began_(clock.Now()),
      shown_(began_),
      step_(first_step) {}

void Progress::OnStep(int64_t step, const Losses& losses) {
  step_ = step;
  ++stepped_;
  if (sums_.size() != losses.size()) {
    sums_ = losses;
    summed_ = 1;
  } else {
    for (size_t i = 0; i < losses.size(); ++i) sums_[i].second += losses[i].second;
    ++summed_;
  }
  const absl::Time now = clock_.Now();
  if (now - shown_ >= (style_.bar ? kRedraw : kLine)) Show(now);
}

void Progress::OnValidation(int64_t step, double score, const ValidationFigures& figures, bool best) {
  std::string line =
      absl::StrFormat("validation after step %d: score %.4g%s", step, score, best ? ", the best so far" : "");
  for (const auto& [name, value] : figures) absl::StrAppendFormat(&line, "  %s %.4g", name, value);
  OnMessage(line);
}

void Progress::OnRollBack(int64_t from_step, int64_t to_step, absl::string_view why) {
  step_ = to_step;
  OnMessage(absl::StrFormat("step %d: %s; going on from step %d by another path", from_step, why, to_step));
}

void Progress::OnMessage(absl::string_view line) {
  if (line_open_) out_ << "\r\x1b[K";
  line_open_ = false;
  out_ << line << "\n" << std::flush;
}

void Progress::OnEnd() {
  if (summed_ > 0) Show(clock_.Now());
  if (line_open_) out_ << "\n" << std::flush;
  line_open_ = false;
}

void Progress::Show(absl::Time now) {
  const std::string text = Describe(now);
  if (style_.bar) {
    out_ << "\r" << Bar(text) << "\x1b[K" << std::flush;
    line_open_ = true;
  } else {
    out_ << text << "\n" << std::flush;
  }
  shown_ = now;
  for (auto& [name, sum] : sums_) sum = 0;
  summed_ = 0;
}

std::string Progress::Describe(absl::Time now) const {
  const absl::Duration elapsed = now - began_;
  const double rate =
      elapsed > absl::ZeroDuration() ? static_cast<double>(stepped_) / absl::ToDoubleSeconds(elapsed) : 0;
  std::string text = absl::StrFormat("step %d/%d", step_, total_steps_);
  if (rate > 0) {
    const absl::Duration by_steps = absl::Seconds(static_cast<double>(total_steps_ - step_) / rate);
    const absl::Duration by_time = max_time_ - elapsed;
    absl::StrAppendFormat(&text, "  %.*f steps/s  %s left", rate < 10 ? 2 : 0, rate,
                          HumanDuration(std::min(by_steps, by_time)));
  }
  for (const auto& [name, sum] : sums_) {
    absl::StrAppendFormat(&text, "  %s %.4g", name, summed_ > 0 ? sum / static_cast<double>(summed_) : sum);
  }
  return text;
}

std::string Progress::Bar(absl::string_view text) const {
  const double share = total_steps_ > 0 ? static_cast<double>(step_) / static_cast<double>(total_steps_) : 1;
  const auto filled = std::min(kBarWidth, static_cast<size_t>(share * static_cast<double>(kBarWidth)));
  const size_t room = style_.width > kBarWidth + 4 ? style_.width - kBarWidth - 4 : 0;
  return absl::StrCat("[", style_.colour ? "\x1b[32m" : "", std::string(filled, '#'), style_.colour ? "\x1b[0m" : "",
                      std::string(kBarWidth - filled, '-'), "] ", text.substr(0, room));
}

}  // namespace genoserve
