#include "core/io/part_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr size_t kPage = 4096;

size_t RoundUp(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

/// Opens a kept file for this process alone, not one that another process removes at this moment.
absl::StatusOr<int> OpenAlone(const std::string& path, int flags) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
    absl::Cleanup close = [fd] { ::close(fd); };
    struct stat ours;
    struct stat named;
    if (::fstat(fd, &ours) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
    if (!S_ISREG(ours.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return ErrnoStatus(absl::StrCat(path, ": cannot lock"));
      return absl::FailedPreconditionError(absl::StrCat(path, ": another process is writing it"));
    }
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) {
      std::move(close).Cancel();
      return fd;
    }
  }
}

}  // namespace

PartFile::~PartFile() {
  if (fd_ >= 0 && temporary_ == nullptr) ::close(fd_);
}

absl::StatusOr<std::unique_ptr<PartFile>> PartFile::Open(PartPlace place, size_t bytes, size_t extra,
                                                         const std::string& description) {
  int fd = -1;
  std::unique_ptr<StagedFile> temporary;
  if (place.kept()) {
    GENOSERVE_ASSIGN_OR_RETURN(fd, OpenAlone(place.path, place.kind == PartPlace::Kind::kKept ? O_CREAT : 0));
  } else if (place.kind == PartPlace::Kind::kTemporary) {
    GENOSERVE_ASSIGN_OR_RETURN(temporary, StagedFile::Create(place.path));
    fd = temporary->fd();
  } else {
    std::string path = JoinPath(place.path, ".genoserve-part-XXXXXX");
    fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd < 0) return ErrnoStatus(absl::StrCat(place.path, ": cannot create a temporary file in this folder"));
    ::unlink(path.c_str());
  }
  std::unique_ptr<PartFile> file(new PartFile(std::move(place), fd, std::move(temporary), bytes));
  GENOSERVE_RETURN_IF_ERROR(file->place_.kind == PartPlace::Kind::kReopened ? file->Recognise(extra, description)
                                                                            : file->Prepare(extra, description));
  return file;
}

std::string PartFile::Name() const {
  return place_.kind == PartPlace::Kind::kNameless ? absl::StrCat(place_.path, ": a temporary file in this folder")
                                                   : place_.path;
}

absl::Status PartFile::Prepare(size_t extra, const std::string& description) {
  const auto error = [this] { return WriteError(absl::StrCat(Name(), " of ", bytes_, " bytes")); };
  if (place_.kept() && ::ftruncate(fd_, 0) != 0) return error();
  // A full disk is better found now than after hours. Not every file system can reserve room.
  if (::fallocate(fd_, 0, 0, static_cast<off_t>(bytes_)) != 0) {
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) return error();
  }
  if (!place_.kept()) return absl::OkStatus();
  const size_t at = RoundUp(bytes_);
  extra_ = at + RoundUp(description.size());
  // The description comes after the size: a part that has it is of full size unless it was cut.
  if (::ftruncate(fd_, static_cast<off_t>(extra_ + extra)) != 0) return error();
  GENOSERVE_RETURN_IF_ERROR(WriteAt(at, {reinterpret_cast<const uint8_t*>(description.data()), description.size()}));
  GENOSERVE_RETURN_IF_ERROR(Sync());
  return FileSystem::Posix().SyncFolder(FolderOf(place_.path));
}

absl::Status PartFile::Recognise(size_t extra, const std::string& description) {
  struct stat info;
  if (::fstat(fd_, &info) != 0) return ErrnoStatus(absl::StrCat(place_.path, ": cannot read"));
  const auto size = static_cast<size_t>(info.st_size);
  const size_t at = RoundUp(bytes_);
  extra_ = at + RoundUp(description.size());
  staged_ = size == bytes_;
  if (staged_) return absl::OkStatus();
  std::string found(description.size(), '\0');
  if (size >= extra_) {
    GENOSERVE_RETURN_IF_ERROR(ReadAt(at, {reinterpret_cast<uint8_t*>(found.data()), found.size()}));
  }
  if (size == extra_ + extra && found == description) return absl::OkStatus();
  if (found != description && size >= extra_) {
    return absl::FailedPreconditionError(absl::StrCat(place_.path, ": is the part of another cohort"));
  }
  return absl::DataLossError(absl::StrCat(place_.path, ": has ", size, " bytes where ", extra_ + extra,
                                          " are expected; it was cut or is another"));
}

absl::Status PartFile::WriteAt(size_t offset, std::span<const uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return WriteError(Name());
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status PartFile::ReadAt(size_t offset, std::span<uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(absl::StrCat(Name(), ": cannot read"));
    if (n == 0) return absl::DataLossError(absl::StrCat(Name(), ": became shorter"));
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status PartFile::Sync() const { return ::fdatasync(fd_) == 0 ? absl::OkStatus() : WriteError(Name()); }

absl::StatusOr<std::unique_ptr<StagedFile>> PartFile::Stage(const std::string& path) {
  // Synced first: from the cut on there is nothing but the genotypes to go on with.
  GENOSERVE_RETURN_IF_ERROR(Sync());
  if (::ftruncate(fd_, static_cast<off_t>(bytes_)) != 0) return WriteError(Name());
  const int fd = std::exchange(fd_, -1);
  if (temporary_ != nullptr) return std::move(temporary_);
  return StagedFile::Adopt(path, place_.path, fd);
}

absl::Status PartFile::Remove() { return FileSystem::Posix().Remove(place_.path); }

}  // namespace genoserve
