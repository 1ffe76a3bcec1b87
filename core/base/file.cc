#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <new>
#include <random>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

class PosixFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
    const absl::Cleanup close = [fd] { ::close(fd); };
    struct stat info;
    if (::fstat(fd, &info) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot stat"));
    if (!S_ISREG(info.st_mode)) return absl::FailedPreconditionError(absl::StrCat(path, ": is not a regular file"));
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size > limit) {
      return absl::ResourceExhaustedError(absl::StrFormat("%s: has %d bytes, at most %d are read", path, size, limit));
    }
    std::string bytes;
    try {
      bytes.resize(size);
    } catch (const std::bad_alloc&) {
      return absl::ResourceExhaustedError(absl::StrFormat("%s: has %d bytes, for which memory is short", path, size));
    }
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n = ::read(fd, bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
      if (n == 0) return absl::DataLossError(absl::StrCat(path, ": became shorter while being read"));
      done += static_cast<size_t>(n);
    }
    return bytes;
  }

  absl::Status WriteFile(const std::string& path, absl::string_view bytes) const override {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot create"));
    absl::Cleanup close = [fd] { ::close(fd); };
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(absl::StrCat(path, ": cannot write"));
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (::fsync(fd) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot sync"));
    std::move(close).Cancel();
    if (::close(fd) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot close"));
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) const override {
    if (::rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus(absl::StrCat(to, ": cannot rename to"));
    return absl::OkStatus();
  }

  absl::Status SyncFolder(const std::string& path) const override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
    const absl::Cleanup close = [fd] { ::close(fd); };
    if (::fsync(fd) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot sync"));
    return absl::OkStatus();
  }

  absl::Status MakeFolder(const std::string& path) const override {
    if (::mkdir(path.c_str(), 0755) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot make the folder"));
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const override {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator it(path, error);
    for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) {
      errno = error.value();
      return ErrnoStatus(absl::StrCat(path, ": cannot list"));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) const override {
    struct stat info;
    return ::lstat(path.c_str(), &info) == 0;
  }

  absl::StatusOr<absl::Time> LastChange(const std::string& path) const override {
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot stat"));
    return absl::TimeFromTimespec(info.st_mtim);
  }

  absl::Status Remove(const std::string& path) const override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) {
      errno = error.value();
      return ErrnoStatus(absl::StrCat(path, ": cannot remove"));
    }
    return absl::OkStatus();
  }
};

}  // namespace

const FileSystem& FileSystem::Posix() {
  static const PosixFileSystem& files = *new PosixFileSystem;
  return files;
}

absl::Status WriteFileAtomically(const FileSystem& files, const std::string& path, absl::string_view bytes) {
  // Processes of two containers may have one number, and threads of one process have.
  std::random_device random;
  const std::string temporary = absl::StrCat(path, ".tmp-", ::getpid(), "-", absl::Hex(random(), absl::kZeroPad8));
  absl::Status status = files.WriteFile(temporary, bytes);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) {
    files.Remove(temporary).IgnoreError();
    return status;
  }
  const size_t slash = path.rfind('/');
  return files.SyncFolder(slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1)));
}

std::string JoinPath(absl::string_view folder, absl::string_view name) {
  if (folder.empty() || folder.back() == '/') return absl::StrCat(folder, name);
  return absl::StrCat(folder, "/", name);
}

}  // namespace genoserve
