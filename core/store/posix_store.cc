#include "core/store/posix_store.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr size_t kMaxNameLength = 128;
// Versions that other publishers may claim first before this one gives up.
constexpr int kMaxClaims = 1000;

absl::Status CheckName(absl::string_view what, absl::string_view name) {
  const bool safe = !name.empty() && name.size() <= kMaxNameLength && name[0] != '.' &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
                    });
  if (safe) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " \"", name, "\": expected 1 to ", kMaxNameLength,
                                                 " letters, digits, '.', '_' or '-', not beginning with '.'"));
}

absl::Status CheckModelName(absl::string_view model) {
  GENOSERVE_RETURN_IF_ERROR(CheckName("model name", model));
  if (absl::ascii_isalnum(static_cast<unsigned char>(model[0]))) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("model name \"", model, "\": must begin with a letter or digit"));
}

// A version folder's name: a positive decimal number without leading zeros.
bool ParseVersion(const std::string& name, int64_t& version) {
  return absl::SimpleAtoi(name, &version) && version > 0 && absl::StrCat(version) == name;
}

// The largest version number that has a folder, published or not; 0 = none.
absl::StatusOr<int64_t> NewestClaim(const FileSystem& files, const std::string& folder) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.ListFolder(folder));
  int64_t newest = 0;
  for (const std::string& name : names) {
    if (int64_t version = 0; ParseVersion(name, version)) newest = std::max(newest, version);
  }
  return newest;
}

class PosixPublication final : public Publication {
 public:
  PosixPublication(const FileSystem& files, std::string model_folder, int64_t version)
      : files_(files),
        model_folder_(std::move(model_folder)),
        folder_(JoinPath(model_folder_, absl::StrCat(version))),
        version_(version) {}

  ~PosixPublication() override {
    // Where the commit's last step failed the version may exist, and then it stays.
    if (!committed_ && !files_.Exists(JoinPath(folder_, kManifestFile))) files_.Remove(folder_).IgnoreError();
  }

  int64_t version() const override { return version_; }

  absl::Status Put(absl::string_view name, absl::string_view bytes) override {
    GENOSERVE_RETURN_IF_ERROR(CheckName("file name", name));
    if (committed_ || name == kManifestFile) {
      return absl::FailedPreconditionError(absl::StrCat(name, ": the manifest is written by Commit, once, last"));
    }
    return files_.WriteFile(JoinPath(folder_, name), bytes);
  }

  absl::Status Commit(absl::string_view manifest_json) override {
    if (committed_) return absl::FailedPreconditionError("this version is published already");
    // The names of files and folders reach the disk before the manifest makes them count.
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(folder_));
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(model_folder_));
    GENOSERVE_RETURN_IF_ERROR(WriteFileAtomically(files_, JoinPath(folder_, kManifestFile), manifest_json));
    committed_ = true;
    return absl::OkStatus();
  }

 private:
  const FileSystem& files_;
  const std::string model_folder_;
  const std::string folder_;
  const int64_t version_;
  bool committed_ = false;
};

}  // namespace

PosixStore::PosixStore(const FileSystem& files, std::string root) : files_(files), root_(std::move(root)) {}

absl::StatusOr<std::vector<std::string>> PosixStore::ListModels() const {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFolder(root_));
  std::vector<std::string> models;
  for (const std::string& name : names) {
    if (!CheckModelName(name).ok()) continue;
    const auto versions = ListVersions(name);
    if (versions.ok() && !versions->empty()) models.push_back(name);
  }
  return models;
}

absl::StatusOr<std::vector<int64_t>> PosixStore::ListVersions(absl::string_view model) const {
  GENOSERVE_RETURN_IF_ERROR(CheckModelName(model));
  const std::string folder = JoinPath(root_, model);
  std::vector<int64_t> versions;
  const auto names = files_.ListFolder(folder);
  if (absl::IsNotFound(names.status()) && files_.Exists(root_)) return versions;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    int64_t version = 0;
    if (ParseVersion(name, version) && files_.Exists(JoinPath(JoinPath(folder, name), kManifestFile))) {
      versions.push_back(version);
    }
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

absl::StatusOr<std::string> PosixStore::Read(absl::string_view model, int64_t version, absl::string_view file,
                                             uint64_t limit) const {
  GENOSERVE_RETURN_IF_ERROR(CheckModelName(model));
  GENOSERVE_RETURN_IF_ERROR(CheckName("file name", file));
  return files_.ReadFile(JoinPath(JoinPath(JoinPath(root_, model), absl::StrCat(version)), file), limit);
}

absl::StatusOr<std::unique_ptr<Publication>> PosixStore::Publish(absl::string_view model) {
  GENOSERVE_RETURN_IF_ERROR(CheckModelName(model));
  const std::string folder = JoinPath(root_, model);
  const absl::Status made = files_.MakeFolder(folder);
  if (made.ok()) {
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(root_));
  } else if (!absl::IsAlreadyExists(made)) {
    return made;
  }
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t newest, NewestClaim(files_, folder));
  for (int64_t version = newest + 1; version <= newest + kMaxClaims; ++version) {
    const absl::Status claimed = files_.MakeFolder(JoinPath(folder, absl::StrCat(version)));
    if (claimed.ok()) return std::make_unique<PosixPublication>(files_, folder, version);
    if (!absl::IsAlreadyExists(claimed)) return claimed;
  }
  return absl::AbortedError(absl::StrCat(folder, ": other publishers claimed ", kMaxClaims, " versions meanwhile"));
}

absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenStore(const std::string& url, bool create) {
  const FileSystem& files = FileSystem::Posix();
  if (url.empty()) return absl::InvalidArgumentError("the store is not named; expected a folder");
  if (!files.Exists(url)) {
    if (!create) return absl::NotFoundError(absl::StrCat("store ", url, ": there is no such folder"));
    GENOSERVE_RETURN_IF_ERROR(Annotate(files.MakeFolder(url), "store"));
  }
  const auto listed = files.ListFolder(url);
  if (!listed.ok()) return Annotate(listed.status(), "store");
  return std::make_unique<PosixStore>(files, url);
}

}  // namespace genoserve
