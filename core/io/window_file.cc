#include "core/io/window_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

/// Bytes that are read at a time.
constexpr size_t kWindow = size_t{1} << 20;

}  // namespace

WindowFile::WindowFile(std::string path, int fd, uint64_t size) : path_(std::move(path)), fd_(fd), size_(size) {}

WindowFile::~WindowFile() { ::close(fd_); }

absl::StatusOr<std::unique_ptr<WindowFile>> WindowFile::Open(std::string path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
  struct stat about = {};
  const bool known = ::fstat(fd, &about) == 0;
  if (!known || !S_ISREG(about.st_mode)) {
    absl::Status status = known ? absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"))
                                : ErrnoStatus(absl::StrCat(path, ": cannot read"));
    ::close(fd);
    return status;
  }
  return std::unique_ptr<WindowFile>(new WindowFile(std::move(path), fd, static_cast<uint64_t>(about.st_size)));
}

absl::StatusOr<std::span<const uint8_t>> WindowFile::Read(uint64_t offset, size_t bytes) {
  const auto cut = [this] { return absl::DataLossError(absl::StrCat(path_, ": ends before its data do")); };
  if (offset > size_ || bytes > size_ - offset) return cut();
  if (offset < begin_ || offset - begin_ > filled_ || bytes > filled_ - (offset - begin_)) {
    const size_t window = std::max<size_t>(bytes, std::min<uint64_t>(kWindow, size_));
    if (buffer_.size() < window) buffer_.resize(window);
    begin_ = offset;
    filled_ = 0;
    while (filled_ < bytes) {
      const ssize_t n =
          ::pread(fd_, buffer_.data() + filled_, buffer_.size() - filled_, static_cast<off_t>(begin_ + filled_));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(absl::StrCat(path_, ": cannot read"));
      if (n == 0) return cut();
      filled_ += static_cast<size_t>(n);
    }
  }
  return std::span<const uint8_t>(buffer_).subspan(offset - begin_, bytes);
}

}  // namespace genoserve
