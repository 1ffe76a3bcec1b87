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

absl::StatusOr<size_t> WindowFile::ReadSome(uint64_t offset, std::span<uint8_t> bytes, size_t least) const {
  const auto cut = [this] { return absl::DataLossError(absl::StrCat(path_, ": ends before its data do")); };
  if (offset > size_ || least > size_ - offset) return cut();
  size_t filled = 0;
  while (filled < least) {
    const ssize_t n = ::pread(fd_, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(offset + filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(absl::StrCat(path_, ": cannot read"));
    if (n == 0) return cut();
    filled += static_cast<size_t>(n);
  }
  return filled;
}

absl::StatusOr<std::span<const uint8_t>> WindowFile::Read(uint64_t offset, size_t bytes) {
  if (offset < begin_ || offset - begin_ > filled_ || bytes > filled_ - (offset - begin_)) {
    begin_ = offset;
    filled_ = 0;
    // No more is made room for than the file has.
    const size_t window = std::min<uint64_t>(std::max(bytes, kWindow), size_);
    if (buffer_.size() < window) buffer_.resize(window);
    GENOSERVE_ASSIGN_OR_RETURN(filled_, ReadSome(offset, buffer_, bytes));
  }
  return std::span<const uint8_t>(buffer_).subspan(offset - begin_, bytes);
}

absl::Status WindowFile::ReadInto(uint64_t offset, std::span<uint8_t> bytes) const {
  return ReadSome(offset, bytes, bytes.size()).status();
}

}  // namespace genoserve
