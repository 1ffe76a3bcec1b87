#include "core/io/plain_output.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/status.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

constexpr size_t kBufferBytes = size_t{256} << 10;

}  // namespace

absl::Status PlainOutput::Flush(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(name_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status PlainOutput::Write(absl::string_view bytes) {
  if (buffer_.size() + bytes.size() <= kBufferBytes) {
    buffer_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  GENOSERVE_RETURN_IF_ERROR(Flush(buffer_));
  buffer_.clear();
  if (bytes.size() >= kBufferBytes) return Flush(bytes);
  buffer_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status PlainOutput::Skip(size_t bytes) {
  return ::lseek(fd_, static_cast<off_t>(bytes), SEEK_SET) < 0 ? WriteError(name_) : absl::OkStatus();
}

absl::Status PlainOutput::WriteAt(size_t offset, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(name_);
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status PlainOutput::Close() {
  const std::string rest = std::exchange(buffer_, {});
  return Flush(rest);
}

}  // namespace genoserve
