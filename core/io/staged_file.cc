#include "core/io/staged_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {

absl::Status WriteError(absl::string_view name) {
  const int error = errno;
  const std::string what = absl::StrCat(name, ": cannot write");
  if (error == EFBIG) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, ": the file is larger than this system or its limits allow"));
  }
  errno = error;
  return ErrnoStatus(what);
}

absl::Status CheckIsReplaceable(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, S_ISDIR(info.st_mode) ? ": is a folder; give the name of a file"
                                               : ": is not a regular file; give \"-\" to write to standard output"));
}

absl::StatusOr<std::unique_ptr<StagedFile>> StagedFile::Create(const std::string& path) {
  static std::atomic<uint64_t> counter = 0;
  while (true) {
    std::string temporary = absl::StrCat(path, ".tmp-", ::getpid(), "-", counter++);
    const int fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return std::unique_ptr<StagedFile>(new StagedFile(path, std::move(temporary), fd, false));
    // An earlier process of this number may have been killed.
    if (errno != EEXIST) return ErrnoStatus(absl::StrCat(path, ": cannot create a temporary file beside it"));
  }
}

std::unique_ptr<StagedFile> StagedFile::Adopt(const std::string& path, const std::string& temporary_path, int fd) {
  return std::unique_ptr<StagedFile>(new StagedFile(path, temporary_path, fd, true));
}

StagedFile::~StagedFile() {
  ::close(fd_);
  if (!renamed_ && !keep_) ::unlink(temporary_path_.c_str());
}

absl::Status CommitFiles(std::vector<std::unique_ptr<StagedFile>> files) {
  for (const auto& file : files) {
    if (::fsync(file->fd()) != 0) return WriteError(file->path());
  }
  // An older main file must not stand beside newer companions, not even for a moment.
  if (files.size() > 1) GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().Remove(files.back()->path()));
  for (const auto& file : files) {
    absl::Status status = FileSystem::Posix().Rename(file->temporary_path(), file->path());
    if (!status.ok()) {
      for (const auto& other : files) {
        if (other->renamed_) ::unlink(other->path().c_str());
      }
      return status;
    }
    file->renamed_ = true;
  }
  return FileSystem::Posix().SyncFolder(FolderOf(files.back()->path()));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

}  // namespace genoserve
