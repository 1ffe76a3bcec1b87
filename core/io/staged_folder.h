// A folder that is written under a temporary name and gets its final one when it is whole.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace genoserve {

/// As StagedFile, for a folder with what is in it. Not thread-safe.
class StagedFolder {
 public:
  /// INVALID_ARGUMENT where something is at `path` that is not a Zarr group, which Commit would remove.
  static absl::Status CheckIsReplaceable(const std::string& path);

  /// Makes the temporary folder.
  static absl::StatusOr<std::unique_ptr<StagedFolder>> Create(const std::string& path);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::string& temporary_path() const { return temporary_path_; }

  /// Gives the folder its name; an older Zarr group of that name goes. What is in it must have been synced.
  absl::Status Commit();

 private:
  StagedFolder(std::string path, std::string temporary_path)
      : path_(std::move(path)), temporary_path_(std::move(temporary_path)) {}

  const std::string path_;
  const std::string temporary_path_;
};

}  // namespace genoserve
