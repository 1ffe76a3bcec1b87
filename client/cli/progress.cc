#include "client/cli/progress.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/count_text.h"

namespace genoserve {
namespace {

constexpr absl::Duration kTerminalPeriod = absl::Milliseconds(200);
constexpr absl::Duration kLinePeriod = absl::Seconds(10);

std::string FormatLeft(double seconds) {
  const auto whole = static_cast<int64_t>(std::min(seconds, 1e9));
  if (whole >= 3600) return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
  return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
}

}  // namespace

std::string FormatProgress(int64_t begun, int64_t done, int64_t total, int64_t bytes, absl::Duration elapsed) {
  const double seconds = std::max(1e-3, absl::ToDoubleSeconds(elapsed));
  const double rate = static_cast<double>(done - begun) / seconds;
  std::string text =
      absl::StrFormat("%s of %s samples (%d %%), %s samples/s, %.1f MB", FormatCount(done), FormatCount(total),
                      static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total)),
                      FormatCount(static_cast<int64_t>(rate)), static_cast<double>(bytes) / 1e6);
  if (rate > 0 && done < total) {
    absl::StrAppend(&text, ", ", FormatLeft(static_cast<double>(total - done) / rate), " left");
  }
  return text;
}

Progress::Progress(Style style, int64_t begun, int64_t total, const Clock& clock)
    : style_(style), begun_(begun), total_(total), clock_(clock), begin_(clock.Now()), last_(begin_) {}

Progress::~Progress() { Clear(); }

std::string Progress::Update(int64_t done, int64_t bytes) {
  const absl::Time now = clock_.Now();
  const absl::Duration period = style_ == Style::kTerminal ? kTerminalPeriod : kLinePeriod;
  if (style_ == Style::kNone || now - last_ < period) return "";
  last_ = now;
  const std::string text = FormatProgress(begun_, done, total_, bytes, now - begin_);
  if (style_ == Style::kLines) return text + "\n";
  line_open_ = true;
  // Back to the start of the line, and clear what a longer text left there.
  return absl::StrCat("\r\x1b[K", text);
}

void Progress::Show(int64_t done, int64_t bytes) {
  const std::string text = Update(done, bytes);
  if (!text.empty()) std::fputs(text.c_str(), stderr);
}

void Progress::Say(const std::string& line) {
  Clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

void Progress::Clear() {
  if (line_open_) std::fputs("\r\x1b[K", stderr);
  line_open_ = false;
}

}  // namespace genoserve
