// A store whose versions are kept in a local folder, so that nothing is downloaded twice and a server starts also while
// its store is away.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "core/artifact/blob_cache.h"
#include "core/artifact/cache_index.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/store/forwarding_store.h"

namespace genoserve {

/// What a cache did since it was opened, but for held_bytes.
struct CacheCounts {
  int64_t hits = 0;            ///< files of versions, manifests apart, that came from the folder
  int64_t misses = 0;          ///< that came from the store
  uint64_t fetched_bytes = 0;  ///< of those
  int64_t evictions = 0;       ///< files removed to make room
  int64_t damaged = 0;         ///< files that were found not to be what they should, and removed
  uint64_t held_bytes = 0;     ///< in the folder
};

/// Passes everything on to the store, and keeps the manifests and files that are read, each under its SHA-256:
///
///     <folder>/blobs/<SHA-256>
///     <folder>/stores/<SHA-256 of the URL>/<model>/<version>    which blob is its manifest
///                                                 /labels
///
/// Files of a version whose manifest lists them come from the folder where they are there and have their digest.
/// Manifests, lists and labels are asked of the store. Where that fails:
/// - a manifest comes from the folder;
/// - a list, or the labels of a model, that the store has given since this object was made is an error, so that whoever
///   asks keeps what it has. One that the store has not given yet tells of the versions that are whole in the folder,
///   if there are any.
/// Until the store answers again only lists are asked of it, and what the folder does not have.
///
/// A folder store that is empty while versions of it are known counts as away: that is what a mount point looks like
/// whose file system is not mounted. For the same reason a file or version that is NOT_FOUND is UNAVAILABLE where the
/// store cannot be listed.
///
/// Bytes that do not have the digest of the manifest are passed on and not kept. A version that is larger than the
/// whole cache is not kept. Room is made by removing what was not used for longest; versions that were read since this
/// object was made go after all others, and for them go neither the two newest of a model nor those with labels. A
/// folder that cannot be written to costs nothing but a warning in the log, once an hour. Several servers may share
/// one. Thread-safe.
class CachedStore final : public ForwardingStore {
 public:
  /// Over the store of `url`; see OpenCachedStore. What is given by reference must outlive it.
  CachedStore(std::unique_ptr<CheckpointStore> store, const std::string& url, const std::string& folder,
              uint64_t max_bytes, const FileSystem& files, const Clock& clock);

  absl::StatusOr<std::vector<std::string>> ListModels() const override;
  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override;
  absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const override;
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override;

  /// Why the store could not be asked the last time; OK where it answered.
  absl::Status store_error() const;
  CacheCounts counts() const;

 private:
  using VersionKey = std::pair<std::string, int64_t>;
  // What the manifest of a version lists.
  struct KnownVersion {
    BlobName manifest;
    std::map<std::string, BlobName, std::less<>> files;
    uint64_t size = 0;  // bytes of all, the manifest too
    bool read = false;  // since this object was made
  };

  // What the store is asked, and what is said where it does not answer.
  template <typename T>
  absl::StatusOr<T> Answer(const std::string& question, const std::function<absl::StatusOr<T>()>& ask,
                           const std::function<T()>& from_cache) const;
  absl::StatusOr<std::vector<std::string>> AskForModels() const;
  absl::Status GoneOrAway(const absl::Status& not_found) const;
  void SetStoreError(const absl::Status& error) const;

  absl::StatusOr<std::string> ReadManifestFile(absl::string_view model, int64_t version, uint64_t limit) const;
  absl::StatusOr<std::string> ReadListedFile(absl::string_view model, int64_t version, absl::string_view file,
                                             const BlobName& blob, uint64_t limit) const;
  absl::StatusOr<std::string> CachedManifest(absl::string_view model, int64_t version) const;
  std::optional<KnownVersion> Known(absl::string_view model, int64_t version) const;
  std::optional<KnownVersion> Learn(absl::string_view model, int64_t version, absl::string_view manifest) const;
  void MarkRead(absl::string_view model, int64_t version) const;
  bool Keep(const BlobName& blob, absl::string_view bytes) const;
  void Tell(const absl::Status& written) const;

  bool IsWhole(const std::string& model, int64_t version) const;
  std::vector<int64_t> WholeVersions(const std::string& model) const;
  std::vector<std::string> WholeModels() const;
  void ForgetAllBut(const std::string& model, const std::vector<int64_t>& versions) const;
  BlobWorth Worth() const;
  void TouchBest() const;

  const BlobCache blobs_;
  const CacheIndex index_;
  const Clock& clock_;

  mutable absl::Mutex mutex_;
  mutable absl::Status store_error_ ABSL_GUARDED_BY(mutex_);
  mutable std::set<std::string> answered_ ABSL_GUARDED_BY(mutex_);  // questions to which the store had an answer
  mutable std::map<VersionKey, KnownVersion> known_ ABSL_GUARDED_BY(mutex_);
  mutable std::set<VersionKey> missed_ ABSL_GUARDED_BY(mutex_);  // in the index, and not in the last list
  mutable absl::Time next_touch_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  mutable CacheCounts counts_ ABSL_GUARDED_BY(mutex_);
  mutable absl::Time next_warning_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

/// Opens the store of a URL for reading, as OpenStore does, with a cache of at most `max_bytes`, at least 1, in
/// `folder`, which is made where it is missing. A store that cannot be opened is an error only where the cache has no
/// whole version of it; INVALID_ARGUMENT for a URL that names none always is.
absl::StatusOr<std::unique_ptr<CachedStore>> OpenCachedStore(const std::string& url, const std::string& folder,
                                                             uint64_t max_bytes,
                                                             const FileSystem& files = FileSystem::Posix(),
                                                             const Clock& clock = Clock::Real());

}  // namespace genoserve
