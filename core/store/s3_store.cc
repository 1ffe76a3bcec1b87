#include "core/store/s3_store.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/store/label_file.h"
#include "core/store/s3_publication.h"
#include "core/store/s3_transfer.h"
#include "core/store/store_paths.h"

namespace genoserve {
namespace {

// Never removed: so opening costs one request, and openers at once are not in each other's way.
constexpr absl::string_view kProbe = ".write-check";
// Between the key and the upload in the path of debris; no key has it.
constexpr absl::string_view kUploadMark = "?uploadId=";

// Where below the prefix a key lies.
struct KeyParts {
  absl::string_view model;
  int64_t version = 0;  // 0 = in no version
  absl::string_view file;
};

// Of a key below the prefix; no model where it is nothing of a store's.
KeyParts SplitKey(absl::string_view key) {
  const std::vector<absl::string_view> parts = absl::StrSplit(key, absl::MaxSplits('/', 2));
  if (parts.size() != 3 || !ValidateModelName(parts[0]).ok()) return {};
  return {parts[0], ParseVersion(parts[1]), parts[2]};
}

class S3Store final : public CheckpointStore {
 public:
  explicit S3Store(std::unique_ptr<S3Client> client) : client_(std::move(client)) {}

  // Whether a condition on a write holds here, and whether this one may write.
  absl::Status Probe() {
    const std::string key = Key(kProbe);
    for (int i = 0; i < 2; ++i) {
      S3Request request;
      request.method = "PUT";
      request.key = key;
      request.headers = {"If-None-Match: *"};
      request.body = "A probe: this store's publishers write on condition that no object is there.\n";
      const S3Result result = client_->Send(request);
      if (result.response.status == 412) return absl::OkStatus();
      if (result.response.status == 501 || result.code == "NotImplemented") break;
      if (!result.status.ok()) return Annotate(result.status, "store is not writable");
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "store ", client_->location().Name(""), " at ", client_->location().endpoint,
        ": the server does not honour If-None-Match on PUT, without which publishers at once overwrite each other"));
  }

  absl::StatusOr<std::vector<std::string>> ListModels() const override {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_->List(Key("")));
    std::set<std::string> models;
    for (const S3Object& object : objects) {
      const KeyParts parts = Split(object.key);
      if (parts.version > 0 && parts.file == kManifestFile) models.emplace(parts.model);
    }
    return std::vector<std::string>(models.begin(), models.end());
  }

  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_->List(Key(absl::StrCat(model, "/"))));
    std::vector<int64_t> versions;
    for (const S3Object& object : objects) {
      const KeyParts parts = Split(object.key);
      if (parts.version > 0 && parts.file == kManifestFile) versions.push_back(parts.version);
    }
    std::sort(versions.begin(), versions.end());
    return versions;
  }

  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateFileName(file));
    if (file != kManifestFile) {
      const absl::Status there = PublishedAt(model, version).status();
      if (absl::IsNotFound(there)) GENOSERVE_RETURN_IF_ERROR(CheckThere(model));
      if (!there.ok()) return there;
    }
    if (version <= 0) return NoVersion(model, version);
    absl::StatusOr<std::string> bytes = Download(*client_, Key(VersionPath(model, version), file), limit);
    if (absl::IsNotFound(bytes.status())) {
      GENOSERVE_RETURN_IF_ERROR(CheckThere(model));
      if (file == kManifestFile) return NoVersion(model, version);
    }
    // A wrong region, or a clock that is off, says nothing against the version.
    if (absl::IsFailedPrecondition(bytes.status())) return absl::UnavailableError(bytes.status().message());
    return bytes;
  }

  absl::StatusOr<absl::Time> PublishedAt(absl::string_view model, int64_t version) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    if (version <= 0) return NoVersion(model, version);
    S3Request request;
    request.method = "HEAD";
    request.key = Key(VersionPath(model, version), kManifestFile);
    S3Result result = client_->Send(request);
    if (absl::IsNotFound(result.status)) return NoVersion(model, version);
    if (!result.status.ok()) return result.status;
    absl::Time time;
    std::string error;
    const std::string& text = result.response.headers["last-modified"];
    if (absl::ParseTime("%a, %d %b %E4Y %H:%M:%S GMT", text, &time, &error)) return time;
    return absl::UnavailableError(absl::StrCat(client_->location().Name(request.key), ": came without Last-Modified"));
  }

  absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_->List(Key(absl::StrCat(model, "/"))));
    int64_t newest = 0;
    for (const S3Object& object : objects) newest = std::max(newest, Split(object.key).version);
    absl::InsecureBitGen random;
    const std::string owner = absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16),
                                           absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16));
    for (int64_t version = newest + 1; version <= newest + kMaxClaims; ++version) {
      const std::string folder = Key(VersionPath(model, version), "");
      const absl::Status claimed = client_->PutNew(absl::StrCat(folder, kClaimFile), "claimed\n", owner, nullptr);
      if (claimed.ok()) return MakeS3Publication(*client_, folder, version, owner);
      if (!absl::IsAlreadyExists(claimed)) return claimed;
    }
    return absl::AbortedError(
        absl::StrCat("model ", model, ": other publishers were faster ", kMaxClaims, " times; try again"));
  }

  absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    const std::string folder = LabelKey(model, "");
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_->List(folder));
    std::map<std::string, Label> labels;
    for (const S3Object& object : objects) {
      const absl::string_view name = absl::StripPrefix(object.key, folder);
      if (!ValidateLabelName(name).ok()) continue;
      GENOSERVE_RETURN_IF_ERROR(AddLabel(name, ReadLabel(object.key), &labels));
    }
    return labels;
  }

  absl::Status SetLabel(absl::string_view model, absl::string_view label, int64_t version) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
    GENOSERVE_RETURN_IF_ERROR(ValidateVersion(version));
    const std::string key = LabelKey(model, label);
    GENOSERVE_ASSIGN_OR_RETURN(const Label moved, Moved(ReadLabel(key), version));
    return client_->Put(key, FormatLabel(moved));
  }

  absl::Status RemoveLabel(absl::string_view model, absl::string_view label) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
    return client_->Delete(LabelKey(model, label));
  }

  absl::Status RemoveVersion(absl::string_view model, int64_t version) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    // One without a manifest may be on its way.
    absl::Status there = PublishedAt(model, version).status();
    if (absl::IsNotFound(there)) return absl::OkStatus();
    if (!there.ok()) return there;
    const std::string folder = Key(VersionPath(model, version), "");
    GENOSERVE_RETURN_IF_ERROR(client_->Delete(absl::StrCat(folder, kManifestFile)));
    return RemoveS3Folder(*client_, folder);
  }

  absl::StatusOr<std::vector<Debris>> ListDebris() const override {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_->List(Key("")));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Upload> uploads, client_->ListUploads(Key("")));
    std::set<std::string> versions;                    // that exist
    std::map<std::string, std::vector<Debris>> found;  // by the path of their version
    for (const S3Object& object : objects) {
      const KeyParts parts = Split(object.key);
      if (parts.version <= 0) continue;
      const std::string path = VersionPath(parts.model, parts.version);
      if (parts.file == kManifestFile) versions.insert(path);
      std::vector<Debris>& folder = found[path];
      if (folder.empty()) folder.push_back({std::string(parts.model), path, object.last_modified});
      folder[0].last_change = std::max(folder[0].last_change, object.last_modified);
    }
    std::vector<Debris> all;
    for (const auto& [path, folder] : found) {
      if (!versions.contains(path)) all.insert(all.end(), folder.begin(), folder.end());
    }
    for (const S3Upload& upload : uploads) {
      const KeyParts parts = Split(upload.key);
      if (parts.version <= 0) continue;
      const absl::string_view path = absl::StripPrefix(upload.key, client_->location().prefix);
      all.push_back({std::string(parts.model), absl::StrCat(path, kUploadMark, upload.id), upload.initiated});
    }
    return all;
  }

  absl::Status RemoveDebris(const Debris& debris) override {
    const std::pair<std::string, std::string> parts = absl::StrSplit(debris.path, absl::MaxSplits(kUploadMark, 1));
    const bool upload = !parts.second.empty();
    const std::string key = upload ? parts.first : absl::StrCat(parts.first, "/");
    const KeyParts where = SplitKey(key);
    if (where.version <= 0 || (upload ? !ValidateFileName(where.file).ok() : !where.file.empty())) {
      return absl::InvalidArgumentError(absl::StrCat(debris.path, ": is no debris of a store"));
    }
    if (upload) return AbortUpload(parts.first, parts.second);
    absl::Status there = PublishedAt(where.model, where.version).status();
    if (there.ok()) return absl::FailedPreconditionError(absl::StrCat(debris.path, ": is a version now"));
    if (!absl::IsNotFound(there)) return there;
    return RemoveS3Folder(*client_, Key(debris.path, ""));
  }

 private:
  // A bucket that is away has not lost its versions.
  absl::Status CheckThere(absl::string_view model) const {
    const absl::Status listed = client_->List(Key(absl::StrCat(model, "/"))).status();
    return absl::IsNotFound(listed) ? absl::UnavailableError(listed.message()) : listed;
  }

  static std::string VersionPath(absl::string_view model, int64_t version) { return absl::StrCat(model, "/", version); }

  KeyParts Split(absl::string_view key) const { return SplitKey(absl::StripPrefix(key, client_->location().prefix)); }

  // The key of what is below the prefix.
  std::string Key(absl::string_view path) const { return absl::StrCat(client_->location().prefix, path); }
  std::string Key(absl::string_view path, absl::string_view file) const { return absl::StrCat(Key(path), "/", file); }
  std::string LabelKey(absl::string_view model, absl::string_view label) const {
    return Key(absl::StrCat(model, "/", kLabelsFolder), label);
  }

  absl::Status NoVersion(absl::string_view model, int64_t version) const {
    return absl::NotFoundError(absl::StrCat("model ", model, " has no version ", version, " in the store ",
                                            client_->location().Name(client_->location().prefix)));
  }

  absl::Status AbortUpload(const std::string& path, const std::string& id) {
    S3Request request;
    request.method = "DELETE";
    request.key = Key(path);
    request.query = {{"uploadId", id}};
    const absl::Status status = client_->Send(request).status;
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  absl::StatusOr<Label> ReadLabel(const std::string& key) const {
    return LabelOf(Download(*client_, key, kLargestLabel), client_->location().Name(key));
  }

  const std::unique_ptr<S3Client> client_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenS3Store(const std::string& url, bool create,
                                                             const Environment& environment, const S3Limits& limits) {
  GENOSERVE_ASSIGN_OR_RETURN(const S3Location location, ParseS3Url(url, environment));
  GENOSERVE_ASSIGN_OR_RETURN(auto client, S3Client::Create(location, environment, limits));
  auto store = std::make_unique<S3Store>(std::move(client));
  if (create) GENOSERVE_RETURN_IF_ERROR(store->Probe());
  return store;
}

}  // namespace genoserve
