// Text files read line by line, plain, gzipped or packed by zstd.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// Whether the last line of a file must end as the others do.
enum class LastLine {
  kMustEnd,    ///< a file without it is cut short, as genotypes are in which "0/1" became "0"
  kMayNotEnd,  ///< as in lists that people type
};

/// Holds one line and a buffer at a time. Not thread-safe.
class LineReader {
 public:
  /// The longest line, in bytes.
  static constexpr size_t kLongestLine = size_t{1} << 30;

  /// Opens a text file, unpacked on the fly where gzip or zstd packed it. Errors of the file name it; DATA_LOSS where a
  /// BGZF file lacks its end.
  static absl::StatusOr<std::unique_ptr<LineReader>> Open(std::string path, LastLine last = LastLine::kMustEnd);

  /// Gives the next bytes of a text, at most so many: 0 at its end, less where it cannot be read.
  using Source = absl::AnyInvocable<ssize_t(char* to, size_t bytes)>;
  /// Reads the rest of a file, whose last line must end, after so many lines. `path` is for messages.
  LineReader(std::string path, Source source, size_t lines_before)
      : LineReader(std::move(path), std::move(source), lines_before, LastLine::kMustEnd) {}

  /// Goes to the next line, without its end ("\n" or "\r\n"); false after the last. INVALID_ARGUMENT for a NUL byte or
  /// a line that is too long, DATA_LOSS where what is packed is broken, and for a last line that does not end.
  absl::StatusOr<bool> Next();
  /// The line, until the next call of Next.
  absl::string_view line() const { return line_; }
  /// Its number, from 1.
  size_t number() const { return number_; }
  /// The words of the line, separated by runs of spaces and tabs.
  std::vector<absl::string_view> Words() const;
  /// INVALID_ARGUMENT with the file, the line and what is wrong with it.
  absl::Status Error(absl::string_view what) const;
  const std::string& path() const { return path_; }

 private:
  LineReader(std::string path, Source source, size_t lines_before, LastLine last)
      : path_(std::move(path)), source_(std::move(source)), last_(last), number_(lines_before) {}

  const std::string path_;
  Source source_;
  const LastLine last_;
  std::string buffer_;  // of the file's text, from the line that Next goes to on
  size_t begin_ = 0;    // of what Next has not given yet
  bool ended_ = false;
  absl::string_view line_;
  size_t number_;
};

}  // namespace genoserve
