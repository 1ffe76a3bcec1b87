// How far a transfer is, told on standard error.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/base/clock.h"

namespace genoserve {

/// "4,200 of 10,000 samples (42 %), 1,050 samples/s, 2.1 MB, 0:06 left". `begun` samples were done before the time that
/// `elapsed` tells; `bytes` came in it.
std::string FormatProgress(int64_t begun, int64_t done, int64_t total, int64_t bytes, absl::Duration elapsed);

/// Rewrites one line several times a second on a terminal, else writes a line every 10 seconds. Not thread-safe.
class Progress {
 public:
  enum class Style { kNone, kLines, kTerminal };

  /// `total` samples are due, of which `begun` are done already; `clock` must live as long as this does.
  Progress(Style style, int64_t begun, int64_t total, const Clock& clock);
  /// Clears the line of a terminal.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// The text to write for this state, which is often none. `bytes` are of genotypes.
  std::string Update(int64_t done, int64_t bytes);

  /// Writes what Update gives to standard error.
  void Show(int64_t done, int64_t bytes);
  /// Writes a line of its own, clear of the progress line.
  void Say(const std::string& line);

 private:
  void Clear();

  const Style style_;
  const int64_t begun_;
  const int64_t total_;
  const Clock& clock_;
  const absl::Time begin_;
  absl::Time last_;
  bool line_open_ = false;
};

}  // namespace genoserve
