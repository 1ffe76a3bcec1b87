#include "trainer/telemetry/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"

namespace genoserve {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr uint32_t kMaskDelta = 0xa282ead8;
constexpr int kMostNames = 100;

template <typename T>
void AppendRaw(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0' ? name.data() : "localhost";
}

}  // namespace

uint32_t MaskedCrc32c(absl::string_view bytes) { return std::rotr(Crc32c(bytes), 15) + kMaskDelta; }

absl::StatusOr<std::unique_ptr<EventFile>> EventFile::Create(const std::string& folder, absl::Time now) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return absl::ErrnoToStatus(error.value(), folder);
  const std::string base = JoinPath(
      folder, absl::StrCat("events.out.tfevents.", absl::ToUnixSeconds(now), ".", HostName(), ".", ::getpid()));
  std::string path = base;
  for (int more = 1; more <= kMostNames; ++more) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return std::unique_ptr<EventFile>(new EventFile(path, fd));
    if (errno != EEXIST) break;
    path = absl::StrCat(base, ".", more);
  }
  return absl::ErrnoToStatus(errno, path);
}

EventFile::~EventFile() { ::close(fd_); }

absl::Status EventFile::Append(absl::string_view record) {
  std::string bytes;
  AppendRaw<uint64_t>(record.size(), bytes);
  AppendRaw(MaskedCrc32c(bytes), bytes);
  absl::StrAppend(&bytes, record);
  AppendRaw(MaskedCrc32c(record), bytes);
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::pwrite(fd_, bytes.data() + done, bytes.size() - done, size_ + static_cast<int64_t>(done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      absl::Status status = absl::ErrnoToStatus(wrote < 0 ? errno : ENOSPC, path_);
      // Readers stop for good at a record that is cut off.
      (void)::ftruncate(fd_, size_);
      return status;
    }
    done += static_cast<size_t>(wrote);
  }
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

}  // namespace genoserve
