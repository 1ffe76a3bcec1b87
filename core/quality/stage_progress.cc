#include "core/quality/stage_progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

constexpr int kWidth = 24;  // characters of the bar

}  // namespace

StageProgress::StageProgress(std::string program, bool quiet)
    : program_(std::move(program)), quiet_(quiet), terminal_(::isatty(STDERR_FILENO) != 0) {}

StageProgress::~StageProgress() {
  if (open_) std::fputs("\r\033[K", stderr);
}

void StageProgress::Show(absl::string_view stage, int done, int stages) {
  if (quiet_ || done == stages) return;
  if (!terminal_) {
    absl::FPrintF(stderr, "%s: %s (%d of %d)\n", program_, stage, done + 1, stages);
    return;
  }
  const int full = kWidth * done / stages;
  absl::FPrintF(stderr, "\r\033[K[%s%s] %s", std::string(static_cast<size_t>(full), '#'),
                std::string(static_cast<size_t>(kWidth - full), '.'), stage);
  std::fflush(stderr);
  open_ = true;
}

}  // namespace genoserve
