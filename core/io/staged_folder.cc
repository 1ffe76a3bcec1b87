#include "core/io/staged_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

/// Makes a folder beside `path` whose name nothing else has.
absl::StatusOr<std::string> MakeBeside(const std::string& path, absl::string_view suffix) {
  static std::atomic<uint64_t> counter = 0;
  while (true) {
    std::string name = absl::StrCat(path, suffix, ::getpid(), "-", counter++);
    if (::mkdir(name.c_str(), 0777) == 0) return name;
    // An earlier process of this number may have been killed.
    if (errno != EEXIST) return ErrnoStatus(absl::StrCat(path, ": cannot make a temporary folder beside it"));
  }
}

}  // namespace

absl::Status StagedFolder::CheckIsReplaceable(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (S_ISDIR(info.st_mode) && FileSystem::Posix().Exists(JoinPath(path, ".zgroup"))) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(path, ": is there and is not a Zarr; give another name"));
}

absl::StatusOr<std::unique_ptr<StagedFolder>> StagedFolder::Create(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(std::string temporary, MakeBeside(path, ".tmp-"));
  return std::unique_ptr<StagedFolder>(new StagedFolder(path, std::move(temporary)));
}

StagedFolder::~StagedFolder() { FileSystem::Posix().Remove(temporary_path_).IgnoreError(); }

absl::Status StagedFolder::Commit() {
  const FileSystem& files = FileSystem::Posix();
  std::string older;
  if (files.Exists(path_)) {
    GENOSERVE_RETURN_IF_ERROR(CheckIsReplaceable(path_));
    GENOSERVE_ASSIGN_OR_RETURN(older, MakeBeside(path_, ".old-"));
    GENOSERVE_RETURN_IF_ERROR(files.Rename(path_, older));
  }
  GENOSERVE_RETURN_IF_ERROR(files.Rename(temporary_path_, path_));
  GENOSERVE_RETURN_IF_ERROR(files.SyncFolder(FolderOf(path_)));
  return older.empty() ? absl::OkStatus() : files.Remove(older);
}

}  // namespace genoserve
