#include "core/artifact/cached_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/artifact/artifact.h"
#include "core/artifact/manifest_json.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/store/posix_store.h"

namespace genoserve {
namespace {

constexpr absl::string_view kBlobsFolder = "blobs";
constexpr absl::string_view kStoresFolder = "stores";
// Between uses of the best versions, in case another process looks for room.
constexpr absl::Duration kTouchInterval = absl::Minutes(1);
// Between warnings: each load would give one.
constexpr absl::Duration kWarningInterval = absl::Hours(1);
// Versions of a model that stay whatever else is read: the one that serves and the one that is about to.
constexpr size_t kNewestKept = 2;

bool IsFolder(const std::string& url) { return !absl::StrContains(url, "://"); }

// A folder is the same store from wherever it is named.
std::string CanonicalUrl(const std::string& url) {
  if (!IsFolder(url)) return url;
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(url, error);
  const std::string normal = (error ? std::filesystem::path(url) : path).lexically_normal().string();
  return std::string(absl::StripSuffix(normal, "/"));
}

std::string IndexFolder(absl::string_view folder, const std::string& url) {
  return JoinPath(JoinPath(folder, kStoresFolder), Sha256Hex(CanonicalUrl(url)));
}

}  // namespace

CachedStore::CachedStore(std::unique_ptr<CheckpointStore> store, const std::string& url, const std::string& folder,
                         uint64_t max_bytes, const FileSystem& files, const Clock& clock)
    : ForwardingStore(std::move(store)),
      blobs_(files, JoinPath(folder, kBlobsFolder), max_bytes),
      index_(files, IndexFolder(folder, url)),
      clock_(clock) {
  absl::Status made;
  for (const std::string& path : {folder, JoinPath(folder, kStoresFolder), IndexFolder(folder, url)}) {
    const absl::Status status = files.MakeFolder(path);
    if (!absl::IsAlreadyExists(status)) made.Update(status);
  }
  // For people who wonder whose folder this is.
  made.Update(WriteFileAtomically(files, JoinPath(IndexFolder(folder, url), "url"), absl::StrCat(url, "\n")));
  Tell(made);
}

absl::StatusOr<std::vector<std::string>> CachedStore::ListModels() const {
  const auto ask = [this]() -> absl::StatusOr<std::vector<std::string>> {
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<std::string> models, AskForModels());
    for (const std::string& model : index_.Models()) {
      if (!std::binary_search(models.begin(), models.end(), model)) ForgetAllBut(model, {});
    }
    TouchBest();
    return models;
  };
  return Answer<std::vector<std::string>>("models", ask, [this] { return WholeModels(); });
}

absl::StatusOr<std::vector<int64_t>> CachedStore::ListVersions(absl::string_view model) const {
  const std::string name(model);
  const auto ask = [&]() -> absl::StatusOr<std::vector<int64_t>> {
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<int64_t> versions, store().ListVersions(name));
    if (versions.empty() && !index_.Versions(name).empty()) GENOSERVE_RETURN_IF_ERROR(AskForModels().status());
    ForgetAllBut(name, versions);
    return versions;
  };
  return Answer<std::vector<int64_t>>(absl::StrCat("versions/", model), ask, [&] { return WholeVersions(name); });
}

absl::StatusOr<std::map<std::string, Label>> CachedStore::ListLabels(absl::string_view model) const {
  using Labels = std::map<std::string, Label>;
  const auto ask = [&]() -> absl::StatusOr<Labels> {
    GENOSERVE_ASSIGN_OR_RETURN(Labels labels, store().ListLabels(model));
    // A model of which nothing is kept needs no labels.
    if (index_.Versions(model).empty() || labels == index_.Labels(model)) return labels;
    if (labels.empty()) GENOSERVE_RETURN_IF_ERROR(AskForModels().status());
    Tell(index_.SetLabels(model, labels));
    return labels;
  };
  return Answer<Labels>(absl::StrCat("labels/", model), ask, [&] { return index_.Labels(model); });
}

absl::StatusOr<std::string> CachedStore::Read(absl::string_view model, int64_t version, absl::string_view file,
                                              uint64_t limit) const {
  if (file == kManifestFile) return ReadManifestFile(model, version, limit);
  std::optional<KnownVersion> known = Known(model, version);
  if (!known.has_value() && ReadManifestFile(model, version, kMaxManifestBytes).ok()) known = Known(model, version);
  if (known.has_value()) {
    const auto listed = known->files.find(file);
    if (listed != known->files.end()) return ReadListedFile(model, version, file, listed->second, limit);
  }
  return store().Read(model, version, file, limit);
}

absl::Status CachedStore::store_error() const {
  const absl::MutexLock lock(&mutex_);
  return store_error_;
}

CacheCounts CachedStore::counts() const {
  const absl::MutexLock lock(&mutex_);
  CacheCounts counts = counts_;
  counts.evictions = blobs_.evictions();
  counts.damaged = blobs_.damaged();
  counts.held_bytes = blobs_.held_bytes();
  return counts;
}

template <typename T>
absl::StatusOr<T> CachedStore::Answer(const std::string& question, const std::function<absl::StatusOr<T>()>& ask,
                                      const std::function<T()>& from_cache) const {
  bool away = false;
  bool may_fail = false;
  {
    const absl::MutexLock lock(&mutex_);
    away = !store_error_.ok();
    may_fail = answered_.contains(question);
  }
  // The list of models is what finds out whether the store is there again.
  if (away && !may_fail && question != "models" && !WholeModels().empty()) return from_cache();
  absl::StatusOr<T> answer = ask();
  if (absl::IsInvalidArgument(answer.status())) return answer;
  SetStoreError(answer.status());
  if (!answer.ok()) {
    if (may_fail || WholeModels().empty()) return answer;
    return from_cache();
  }
  // Names of models that there are not would pile up.
  if (!answer->empty()) {
    const absl::MutexLock lock(&mutex_);
    answered_.insert(question);
  }
  return answer;
}

absl::StatusOr<std::vector<std::string>> CachedStore::AskForModels() const {
  GENOSERVE_ASSIGN_OR_RETURN(std::vector<std::string> models, store().ListModels());
  if (!models.empty()) return models;
  const std::vector<std::string> known = index_.Models();
  if (known.empty()) return models;
  return absl::UnavailableError(
      absl::StrCat("the store is empty but had ", absl::StrJoin(known, ", "),
                   "; if that is so on purpose and not because a folder is not mounted, empty the cache too"));
}

absl::Status CachedStore::GoneOrAway(const absl::Status& not_found) const {
  const absl::Status listed = AskForModels().status();
  if (listed.ok()) return not_found;
  return absl::UnavailableError(absl::StrCat("the store is away: ", absl::string_view(listed.message())));
}

void CachedStore::SetStoreError(const absl::Status& error) const {
  const absl::MutexLock lock(&mutex_);
  store_error_ = error;
}

absl::StatusOr<std::string> CachedStore::ReadManifestFile(absl::string_view model, int64_t version,
                                                          uint64_t limit) const {
  const auto from_cache = [&](const absl::Status& error) -> absl::StatusOr<std::string> {
    auto cached = CachedManifest(model, version);
    if (!cached.ok() || cached->size() > limit) return error;
    MarkRead(model, version);
    return cached;
  };
  if (const absl::Status away = store_error(); !away.ok()) {
    if (auto cached = from_cache(away); cached.ok()) return cached;
  }
  absl::StatusOr<std::string> bytes = store().Read(model, version, kManifestFile, limit);
  if (absl::IsInvalidArgument(bytes.status())) return bytes;
  if (absl::IsNotFound(bytes.status())) {
    const absl::Status status = GoneOrAway(bytes.status());
    if (absl::IsNotFound(status)) return status;
    bytes = status;
  }
  SetStoreError(bytes.status());
  if (!bytes.ok()) return from_cache(bytes.status());
  const std::optional<KnownVersion> known = Learn(model, version, *bytes);
  if (!known.has_value()) return bytes;  // whoever reads it will say what is wrong
  MarkRead(model, version);
  if (known->size > blobs_.max_bytes()) {
    Tell(absl::ResourceExhaustedError(absl::StrCat("model ", model, " version ", version, " has ", known->size,
                                                   " bytes, more than the ", blobs_.max_bytes(), " of the cache")));
  } else if (Keep(known->manifest, *bytes) && index_.Manifest(model, version) != known->manifest) {
    Tell(index_.SetManifest(model, version, known->manifest));
  }
  return bytes;
}

absl::StatusOr<std::string> CachedStore::ReadListedFile(absl::string_view model, int64_t version,
                                                        absl::string_view file, const BlobName& blob,
                                                        uint64_t limit) const {
  MarkRead(model, version);
  if (blob.size <= limit) {
    if (auto cached = blobs_.Get(blob.digest, blob.size); cached.ok()) {
      const absl::MutexLock lock(&mutex_);
      ++counts_.hits;
      return cached;
    }
  }
  absl::StatusOr<std::string> bytes = store().Read(model, version, file, limit);
  if (!bytes.ok()) {
    absl::Status status = bytes.status();
    if (absl::IsNotFound(status)) status = GoneOrAway(status);
    const bool of_file = absl::IsNotFound(status) || absl::IsInvalidArgument(status) || absl::IsDataLoss(status) ||
                         absl::IsResourceExhausted(status);
    if (!of_file) SetStoreError(status);
    return status;
  }
  SetStoreError(absl::OkStatus());
  {
    const absl::MutexLock lock(&mutex_);
    ++counts_.misses;
    counts_.fetched_bytes += bytes->size();
  }
  const std::optional<KnownVersion> known = Known(model, version);
  const bool fits = known.has_value() && known->size <= blobs_.max_bytes();
  if (fits && bytes->size() == blob.size && Sha256Hex(*bytes) == blob.digest) Keep(blob, *bytes);
  return bytes;
}

absl::StatusOr<std::string> CachedStore::CachedManifest(absl::string_view model, int64_t version) const {
  const std::optional<BlobName> name = index_.Manifest(model, version);
  if (!name.has_value()) return absl::NotFoundError("not in the cache");
  GENOSERVE_ASSIGN_OR_RETURN(std::string bytes, blobs_.Get(name->digest, name->size));
  Learn(model, version, bytes);
  return bytes;
}

std::optional<CachedStore::KnownVersion> CachedStore::Known(absl::string_view model, int64_t version) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = known_.find(VersionKey(model, version));
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

// What a manifest says, or nothing where it cannot be understood.
std::optional<CachedStore::KnownVersion> CachedStore::Learn(absl::string_view model, int64_t version,
                                                            absl::string_view manifest) const {
  KnownVersion known;
  known.manifest = {Sha256Hex(manifest), manifest.size()};
  if (auto before = Known(model, version); before.has_value() && before->manifest == known.manifest) return before;
  const auto parsed = ParseManifest(manifest);
  if (!parsed.ok() || !ValidateManifest(*parsed).ok()) return std::nullopt;
  known.size = manifest.size();
  for (const v1::ArtifactFile& file : parsed->files()) {
    const BlobName blob{file.sha256(), static_cast<uint64_t>(file.size())};
    known.files.emplace(file.name(), blob);
    known.size += blob.size;
  }
  const absl::MutexLock lock(&mutex_);
  KnownVersion& kept = known_[VersionKey(model, version)];
  known.read = kept.read;
  kept = known;
  return known;
}

void CachedStore::MarkRead(absl::string_view model, int64_t version) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = known_.find(VersionKey(model, version));
  if (found != known_.end()) found->second.read = true;
}

bool CachedStore::Keep(const BlobName& blob, absl::string_view bytes) const {
  const absl::Status kept = blobs_.Put(blob.digest, bytes, Worth());
  Tell(kept);
  return kept.ok();
}

void CachedStore::Tell(const absl::Status& written) const {
  if (written.ok()) return;
  {
    const absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_.Now();
    if (now < next_warning_) return;
    next_warning_ = now + kWarningInterval;
  }
  spdlog::warn("cache: {}; versions are served, but not kept for when the store is away",
               std::string(written.message()));
}

bool CachedStore::IsWhole(const std::string& model, int64_t version) const {
  const std::optional<BlobName> manifest = index_.Manifest(model, version);
  if (!manifest.has_value() || !blobs_.Has(manifest->digest, manifest->size)) return false;
  std::optional<KnownVersion> known = Known(model, version);
  if (!known.has_value() || known->manifest != *manifest) {
    if (!CachedManifest(model, version).ok()) return false;
    known = Known(model, version);
  }
  return known.has_value() && std::all_of(known->files.begin(), known->files.end(), [this](const auto& file) {
           return blobs_.Has(file.second.digest, file.second.size);
         });
}

std::vector<int64_t> CachedStore::WholeVersions(const std::string& model) const {
  std::vector<int64_t> versions = index_.Versions(model);
  std::erase_if(versions, [&](int64_t version) { return !IsWhole(model, version); });
  return versions;
}

std::vector<std::string> CachedStore::WholeModels() const {
  std::vector<std::string> models = index_.Models();
  std::erase_if(models, [this](const std::string& model) { return WholeVersions(model).empty(); });
  return models;
}

// What is gone from the store does not come back when it is away. Only after two lists: another server may have read a
// version that is newer than the first.
void CachedStore::ForgetAllBut(const std::string& model, const std::vector<int64_t>& versions) const {
  for (const int64_t version : index_.Versions(model)) {
    const VersionKey key(model, version);
    const bool listed = std::binary_search(versions.begin(), versions.end(), version);
    bool gone = false;
    {
      const absl::MutexLock lock(&mutex_);
      if (listed) {
        missed_.erase(key);
      } else if (!missed_.insert(key).second) {
        gone = true;
        missed_.erase(key);
      }
    }
    if (gone) index_.Remove(model, version);
  }
  const absl::MutexLock lock(&mutex_);
  std::erase_if(known_, [&](const auto& known) {
    return known.first.first == model && !std::binary_search(versions.begin(), versions.end(), known.first.second);
  });
}

// 2: the newest versions and those with labels, 1: others that were read, 0: the rest.
BlobWorth CachedStore::Worth() const {
  BlobWorth worth;
  const auto add = [&worth](const KnownVersion& version, int value) {
    const auto raise = [&](const BlobName& blob) { worth[blob.digest] = std::max(worth[blob.digest], value); };
    raise(version.manifest);
    for (const auto& [name, blob] : version.files) raise(blob);
  };
  for (const std::string& model : index_.Models()) {
    std::vector<int64_t> best = index_.Versions(model);
    if (best.size() > kNewestKept) best.erase(best.begin(), best.end() - kNewestKept);
    for (const auto& [name, label] : index_.Labels(model)) best.push_back(label.version);
    for (const int64_t version : best) {
      if (!Known(model, version).has_value()) CachedManifest(model, version).IgnoreError();
      if (const auto known = Known(model, version); known.has_value()) add(*known, 2);
    }
  }
  const absl::MutexLock lock(&mutex_);
  for (const auto& [key, known] : known_) {
    if (known.read) add(known, 1);
  }
  return worth;
}

void CachedStore::TouchBest() const {
  {
    const absl::MutexLock lock(&mutex_);
    const absl::Time now = clock_.Now();
    if (now < next_touch_) return;
    next_touch_ = now + kTouchInterval;
  }
  for (const auto& [digest, worth] : Worth()) {
    if (worth == 2) blobs_.Touch(digest);
  }
}

absl::StatusOr<std::unique_ptr<CachedStore>> OpenCachedStore(const std::string& url, const std::string& folder,
                                                             uint64_t max_bytes, const FileSystem& files,
                                                             const Clock& clock) {
  auto store = OpenStore(url, /*create=*/false);
  const absl::Status opened = store.status();
  if (absl::IsInvalidArgument(opened) || (!opened.ok() && !IsFolder(url))) return opened;
  if (!opened.ok()) store = PosixStoreThatMayBeAway(FileSystem::Posix(), url);
  auto cached = std::make_unique<CachedStore>(*std::move(store), url, folder, max_bytes, files, clock);
  if (!opened.ok() && !cached->ListModels().ok()) return opened;
  return cached;
}

}  // namespace genoserve
