// Text files read line by line, plain or gzipped.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/io/htslib_support.h"

namespace genoserve {

/// Holds one line and a buffer at a time. Not thread-safe.
class LineReader {
 public:
  /// The longest line, in bytes.
  static constexpr size_t kLongestLine = size_t{1} << 30;

  /// Opens a text file, gunzipped on the fly where it is gzipped. Errors of the file name it; DATA_LOSS where a BGZF
  /// file lacks its end.
  static absl::StatusOr<std::unique_ptr<LineReader>> Open(std::string path);

  /// Goes to the next line, without its end ("\n" or "\r\n"); false after the last. A line that the end of the file
  /// cuts short counts. INVALID_ARGUMENT for a NUL byte or a line that is too long, DATA_LOSS for a broken gzip.
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
  LineReader(std::string path, HtslibPtr<BGZF> file) : path_(std::move(path)), file_(std::move(file)) {}

  const std::string path_;
  HtslibPtr<BGZF> file_;
  std::string buffer_;  // of the file's text, from the line that Next goes to on
  size_t begin_ = 0;    // of what Next has not given yet
  bool ended_ = false;
  absl::string_view line_;
  size_t number_ = 0;
};

}  // namespace genoserve
