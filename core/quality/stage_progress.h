// How far the measuring is, told on standard error.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace genoserve {

/// A bar that is redrawn on a terminal; elsewhere one line a stage. Not thread-safe.
class StageProgress {
 public:
  /// Lines begin with "`program`: ". A quiet one says nothing.
  StageProgress(std::string program, bool quiet);
  /// Clears the bar.
  ~StageProgress();
  StageProgress(const StageProgress&) = delete;
  StageProgress& operator=(const StageProgress&) = delete;

  /// Tells that `stage` begins, after `done` of `stages`. Nothing is told where all are done.
  void Show(absl::string_view stage, int done, int stages);

 private:
  const std::string program_;
  const bool quiet_;
  const bool terminal_;
  bool open_ = false;
};

}  // namespace genoserve
