// Where trainers publish artifacts and servers find them. A version exists once its manifest.json does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// The file that makes a version exist.
inline constexpr absl::string_view kManifestFile = "manifest.json";

/// Whether this may name a model. INVALID_ARGUMENT, with what is allowed, otherwise.
absl::Status ValidateModelName(absl::string_view name);

/// Whether this may name a file of a version. INVALID_ARGUMENT, with what is allowed, otherwise.
absl::Status ValidateFileName(absl::string_view name);

/// A version that is being published. Files are put first, the manifest last. Destroyed while the version does not
/// exist, it removes what it put. Not thread-safe; the store must outlive it.
class Publication {
 public:
  virtual ~Publication() = default;
  /// The version number that this publication has claimed.
  virtual int64_t version() const = 0;
  /// Writes one file, synced. Names hold letters, digits, '.', '_' and '-', start with a letter or digit, and have at
  /// most 128 characters. ALREADY_EXISTS for a second file of a name.
  virtual absl::Status Put(absl::string_view name, absl::string_view bytes) = 0;
  /// Writes the manifest in one step; the version then exists for every reader, and nothing more can be put. After an
  /// error the version does not exist, but for the one error that says that it does and may not survive a power cut.
  virtual absl::Status Commit(absl::string_view manifest_json) = 0;
};

/// Models with numbered, immutable versions. Model names hold letters, digits, '.', '_' and '-', start with a letter or
/// digit, and have at most 128 characters. Thread-safe.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  /// Names of the models that have a version, sorted.
  virtual absl::StatusOr<std::vector<std::string>> ListModels() const = 0;
  /// Versions of a model that exist, ascending. Empty for an unknown model.
  virtual absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const = 0;
  /// All bytes of a file of a version; RESOURCE_EXHAUSTED where there are more than `limit`.
  virtual absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                           uint64_t limit) const = 0;
  /// Claims the next free version of a model, so that two publishers at once get different ones.
  virtual absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) = 0;
};

/// Opens the store of a URL: a folder. It must be there; with `create`, for those who publish, it is made where it is
/// missing (its parent must be there), and must be writable. NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (not a
/// folder) or INVALID_ARGUMENT (another kind of URL) otherwise.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenStore(const std::string& url, bool create);

}  // namespace genoserve
