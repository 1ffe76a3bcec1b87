// A file that is written from its start on, and what the writers of binary files share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// Writes to a file descriptor through a buffer. Errors as of WriteError. Not thread-safe.
class PlainOutput {
 public:
  /// Writes to `fd`, which stays the caller's; `name` stands in messages.
  PlainOutput(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  /// Appends bytes.
  absl::Status Write(absl::string_view bytes);
  /// Leaves out bytes, which WriteAt fills in. Before the first Write.
  absl::Status Skip(size_t bytes);
  /// Writes bytes at a place that Skip left out.
  absl::Status WriteAt(size_t offset, absl::string_view bytes);
  /// Writes what is buffered. Call once, last.
  absl::Status Close();

 private:
  absl::Status Flush(absl::string_view bytes);

  const int fd_;
  const std::string name_;
  std::string buffer_;
};

/// The same bytes, as the other type.
inline absl::string_view AsText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends a little-endian integer of kBytes bytes.
template <size_t kBytes>
void AppendInt(std::string& bytes, uint64_t value) {
  for (size_t i = 0; i < kBytes; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace genoserve
