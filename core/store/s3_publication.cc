#include "core/store/s3_publication.h"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/store/s3_transfer.h"

namespace genoserve {
namespace {

class S3Publication final : public Publication {
 public:
  S3Publication(S3Client& client, std::string folder, int64_t version, std::string owner)
      : client_(client), folder_(std::move(folder)), version_(version), owner_(std::move(owner)) {}

  // Where nobody knows whether the version exists, nothing is removed: if it does it must be whole, else it is debris.
  // Nor where the claim is gone, for then the number may be another publisher's by now.
  ~S3Publication() override {
    if (state_ != State::kOpen) return;
    const absl::StatusOr<std::string> claim = client_.Owner(absl::StrCat(folder_, kClaimFile));
    if (claim.ok() && *claim == owner_) RemoveS3Folder(client_, folder_).IgnoreError();
  }

  int64_t version() const override { return version_; }

  absl::Status Put(absl::string_view name, absl::string_view bytes) override {
    GENOSERVE_RETURN_IF_ERROR(CheckOpen());
    GENOSERVE_RETURN_IF_ERROR(ValidateFileName(name));
    const std::string key = absl::StrCat(folder_, name);
    if (name == kManifestFile || sizes_.contains(key)) {
      return absl::AlreadyExistsError(
          absl::StrCat(client_.location().Name(key), ": is put once, and the manifest by Commit"));
    }
    GENOSERVE_RETURN_IF_ERROR(UploadNew(client_, key, bytes, owner_));
    sizes_[key] = bytes.size();
    return absl::OkStatus();
  }

  absl::Status Commit(absl::string_view manifest_json) override {
    GENOSERVE_RETURN_IF_ERROR(CheckOpen());
    GENOSERVE_RETURN_IF_ERROR(CheckFiles());
    const std::string key = absl::StrCat(folder_, kManifestFile);
    bool unknown = false;
    absl::Status status = client_.PutNew(key, manifest_json, owner_, &unknown);
    if (unknown && !status.ok()) {
      // The question that the lost answers leave open.
      const absl::StatusOr<std::string> found = client_.Owner(key);
      state_ = State::kUnknown;
      if (!found.ok() || *found != owner_) {
        return Annotate(status, absl::StrCat("version ", version_, " may yet come to exist"));
      }
      status = absl::OkStatus();
    }
    // There already: by whoever took this number after these files were removed.
    if (status.ok() || absl::IsAlreadyExists(status)) state_ = State::kCommitted;
    return status;
  }

 private:
  enum class State { kOpen, kCommitted, kUnknown };

  absl::Status CheckOpen() const {
    if (state_ == State::kOpen) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(client_.location().Name(folder_), ": is published, and versions never change"));
  }

  // A publisher that stood still for a day may find its files collected as debris.
  absl::Status CheckFiles() {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client_.List(folder_));
    std::set<std::string> missing = {absl::StrCat(folder_, kClaimFile)};
    for (const auto& [key, size] : sizes_) missing.insert(key);
    for (const S3Object& object : objects) {
      const auto size = sizes_.find(object.key);
      if (size == sizes_.end() || size->second == object.size) missing.erase(object.key);
    }
    if (missing.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(client_.location().Name(*missing.begin()), ": was removed before the version was complete"));
  }

  S3Client& client_;
  const std::string folder_;
  const int64_t version_;
  const std::string owner_;
  std::map<std::string, uint64_t> sizes_;  // of what was put, by key
  State state_ = State::kOpen;
};

}  // namespace

std::unique_ptr<Publication> MakeS3Publication(S3Client& client, const std::string& folder, int64_t version,
                                               const std::string& owner) {
  return std::make_unique<S3Publication>(client, folder, version, owner);
}

absl::Status RemoveS3Folder(S3Client& client, const std::string& folder) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<S3Object> objects, client.List(folder));
  for (const S3Object& object : objects) {
    if (!absl::EndsWith(object.key, kClaimFile)) GENOSERVE_RETURN_IF_ERROR(client.Delete(object.key));
  }
  return client.Delete(absl::StrCat(folder, kClaimFile));
}

}  // namespace genoserve
