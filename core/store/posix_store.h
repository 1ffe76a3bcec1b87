// A checkpoint store in a folder: local disk or a shared file system.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// `root`/<model>/<version>/<file>. A version is claimed by making its folder, which only one publisher can do.
/// Thread-safe.
class PosixStore final : public CheckpointStore {
 public:
  /// `files` must outlive the store and its publications.
  PosixStore(const FileSystem& files, std::string root);

  absl::StatusOr<std::vector<std::string>> ListModels() const override;
  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override;
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override;
  absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) override;

 private:
  const FileSystem& files_;
  const std::string root_;
};

}  // namespace genoserve
