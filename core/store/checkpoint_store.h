// Where trainers publish artifacts and servers find them. A version exists once its manifest.json does.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace genoserve {

/// The file that makes a version exist.
inline constexpr absl::string_view kManifestFile = "manifest.json";

/// Whether this may name a model. INVALID_ARGUMENT, with what is allowed, otherwise.
absl::Status ValidateModelName(absl::string_view name);

/// Whether this may name a file of a version. INVALID_ARGUMENT, with what is allowed, otherwise.
absl::Status ValidateFileName(absl::string_view name);

/// Whether this may name a label: as a model, but without ".tmp-". INVALID_ARGUMENT, with what is allowed, otherwise.
absl::Status ValidateLabelName(absl::string_view name);

/// The label whose version answers requests that name none, and the one that a share of new streams may go to.
inline constexpr absl::string_view kStableLabel = "stable";
inline constexpr absl::string_view kCanaryLabel = "canary";

/// What a label of a model points at. A label may point at a version that is not there (yet, or any more).
struct Label {
  int64_t version = 0;
  int64_t previous = 0;  ///< what it pointed at before, for a rollback; 0 = it is new

  bool operator==(const Label&) const = default;
};

/// What a publisher left that died before its manifest was written: a claimed version, or an upload that never ended.
struct Debris {
  std::string model;
  std::string path;        ///< below the store, for messages and for RemoveDebris
  absl::Time last_change;  ///< of anything in it
};

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
  /// error the version does not exist, but for the two errors that say so: that it does and may not survive a power
  /// cut, or, where a server was lost while it was told, that it may yet come to exist. FAILED_PRECONDITION where files
  /// were removed meanwhile, as those of a publisher that stood still are.
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
  /// When a version began to exist. NOT_FOUND where it does not.
  virtual absl::StatusOr<absl::Time> PublishedAt(absl::string_view model, int64_t version) const = 0;
  /// Claims the next free version of a model, so that two publishers at once get different ones.
  virtual absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) = 0;

  /// The labels of a model by name. Empty for an unknown model.
  virtual absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const = 0;
  /// Has a label point at a version, in one step: readers see the old place or the new one. The last of two wins. The
  /// model need not have a version yet.
  virtual absl::Status SetLabel(absl::string_view model, absl::string_view label, int64_t version) = 0;
  /// OK where there is no such label.
  virtual absl::Status RemoveLabel(absl::string_view model, absl::string_view label) = 0;

  /// Removes a version, its manifest first, so that no reader finds half of it; what is then left by an error is
  /// debris. OK where there is none, or none yet. Its number is not used again while a newer one exists.
  virtual absl::Status RemoveVersion(absl::string_view model, int64_t version) = 0;
  /// What dead publishers left, and, since nobody can tell, what living ones are writing now: look at last_change.
  virtual absl::StatusOr<std::vector<Debris>> ListDebris() const = 0;
  /// Removes one of them; FAILED_PRECONDITION where it has become a version meanwhile.
  virtual absl::Status RemoveDebris(const Debris& debris) = 0;
};

/// Opens the store of a URL: a folder, or s3://bucket/prefix (core/store/s3_store.h). A folder must be there; with
/// `create`, for those who publish, it is made where it is missing (its parent must be there), and must be writable.
/// NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (not a folder) or INVALID_ARGUMENT (another kind of URL)
/// otherwise. Opening an S3 store for reading asks nothing of it, so that it may be away; with `create` its bucket must
/// be there and writable.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenStore(const std::string& url, bool create);

}  // namespace genoserve
