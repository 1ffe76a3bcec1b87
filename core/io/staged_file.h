// Files that are written under a temporary name and get their final one when they are whole.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// The status of the current `errno` after a failed write; a full disk, quota or file size limit is
/// RESOURCE_EXHAUSTED.
absl::Status WriteError(absl::string_view name);

/// INVALID_ARGUMENT where something other than a regular file has this name, such as a folder or a device: renaming
/// would fail at the end, or replace the device.
absl::Status CheckIsReplaceable(const std::string& path);

/// A file beside its final name, ".tmp-" and numbers after it, which the destructor removes unless it was committed or
/// is to be kept.
/// Not thread-safe.
class StagedFile {
 public:
  /// Creates the temporary file. Errors as of FileSystem.
  static absl::StatusOr<std::unique_ptr<StagedFile>> Create(const std::string& path);
  /// Takes a file that is there under another name, open as `fd`, which the destructor closes; where it is not
  /// committed it keeps that name.
  static std::unique_ptr<StagedFile> Adopt(const std::string& path, const std::string& temporary_path, int fd);
  ~StagedFile();
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  int fd() const { return fd_; }
  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }

 private:
  friend absl::Status CommitFiles(std::vector<std::unique_ptr<StagedFile>> files);
  StagedFile(std::string path, std::string temporary_path, int fd, bool keep)
      : path_(std::move(path)), temporary_path_(std::move(temporary_path)), fd_(fd), keep_(keep) {}

  const std::string path_;
  const std::string temporary_path_;
  const int fd_;
  const bool keep_;
  bool renamed_ = false;
};

/// Syncs all files to the disk and then gives them their final names in this order, the main one last, so that where
/// it stands the others do too. Files of one folder. Where a step fails, none of them stays under its final name.
absl::Status CommitFiles(std::vector<std::unique_ptr<StagedFile>> files);

/// The folder that a path lies in.
std::string FolderOf(const std::string& path);

}  // namespace genoserve
