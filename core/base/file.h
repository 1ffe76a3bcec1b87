// The small file seam: whole files in and out, and files that appear under their final name only when they are whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace genoserve {

/// The door to the file system, so that tests can stop a writer after any operation. Thread-safe.
/// Errors name the path: NOT_FOUND, PERMISSION_DENIED, ALREADY_EXISTS, RESOURCE_EXHAUSTED (disk full), others UNKNOWN.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// All bytes of a regular file; RESOURCE_EXHAUSTED where there are more than `limit`.
  virtual absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const = 0;
  /// Creates or empties the file, writes all bytes, and syncs it to the disk.
  virtual absl::Status WriteFile(const std::string& path, absl::string_view bytes) const = 0;
  /// Renames a file over another in one step.
  virtual absl::Status Rename(const std::string& from, const std::string& to) const = 0;
  /// Syncs the names of a folder to the disk.
  virtual absl::Status SyncFolder(const std::string& path) const = 0;
  /// Makes one folder; ALREADY_EXISTS if something has that name.
  virtual absl::Status MakeFolder(const std::string& path) const = 0;
  /// Names in a folder, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const = 0;
  /// Whether a file or folder of that name is there.
  virtual bool Exists(const std::string& path) const = 0;
  /// When the bytes of a file, or the names in a folder, were last changed.
  virtual absl::StatusOr<absl::Time> LastChange(const std::string& path) const = 0;
  /// Removes a file, or a folder with all that is in it. OK where there is none.
  virtual absl::Status Remove(const std::string& path) const = 0;

  /// The machine's file system; lives for ever.
  static const FileSystem& Posix();
};

/// Writes `bytes` to `path` by way of a temporary file beside it, so that readers see the old file or the new one.
absl::Status WriteFileAtomically(const FileSystem& files, const std::string& path, absl::string_view bytes);

/// `folder`/`name`.
std::string JoinPath(absl::string_view folder, absl::string_view name);

}  // namespace genoserve
