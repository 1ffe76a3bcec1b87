// A file that is read piece by piece, mostly forwards, through one buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace genoserve {

/// Not thread-safe.
class WindowFile {
 public:
  /// Opens a regular file. Errors as of ErrnoStatus, with the path; INVALID_ARGUMENT for what is no regular file.
  static absl::StatusOr<std::unique_ptr<WindowFile>> Open(std::string path);
  ~WindowFile();
  WindowFile(const WindowFile&) = delete;
  WindowFile& operator=(const WindowFile&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes of the file when it was opened.
  uint64_t size() const { return size_; }

  /// The bytes from `offset` on, until the next call. DATA_LOSS where the file ends before. The buffer grows to
  /// `bytes`, which must be of what the file has: check against size() first.
  absl::StatusOr<std::span<const uint8_t>> Read(uint64_t offset, size_t bytes);
  /// Fills `bytes` past the buffer, for pieces that lie far apart. DATA_LOSS as for Read.
  absl::Status ReadInto(uint64_t offset, std::span<uint8_t> bytes) const;

 private:
  WindowFile(std::string path, int fd, uint64_t size);

  /// Reads at least `least` bytes into `bytes`, and tells how many.
  absl::StatusOr<size_t> ReadSome(uint64_t offset, std::span<uint8_t> bytes, size_t least) const;

  const std::string path_;
  const int fd_;
  const uint64_t size_;
  uint64_t begin_ = 0;  // place in the file of the buffer's first byte
  size_t filled_ = 0;   // bytes of the buffer that hold the file's
  std::vector<uint8_t> buffer_;
};

}  // namespace genoserve
