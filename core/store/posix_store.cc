#include "core/store/posix_store.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"
#include "core/store/label_file.h"
#include "core/store/store_paths.h"

namespace genoserve {
namespace {

// Removes the folder of a model without versions; fails, as it must, where another publisher has put anything there.
void RemoveIfEmpty(const std::string& model_folder) { ::rmdir(model_folder.c_str()); }

class PosixPublication final : public Publication {
 public:
  PosixPublication(const FileSystem& files, std::string model_folder, int64_t version)
      : files_(files),
        model_folder_(std::move(model_folder)),
        folder_(JoinPath(model_folder_, absl::StrCat(version))),
        version_(version) {}

  ~PosixPublication() override {
    if (committed_) return;
    // Only what is known to have no manifest is removed: a version that a reader may have seen stays.
    const auto names = files_.ListFolder(folder_);
    if (!names.ok() || std::binary_search(names->begin(), names->end(), kManifestFile)) return;
    files_.Remove(folder_).IgnoreError();
    RemoveIfEmpty(model_folder_);
  }

  int64_t version() const override { return version_; }

  absl::Status Put(absl::string_view name, absl::string_view bytes) override {
    GENOSERVE_RETURN_IF_ERROR(CheckOpen());
    GENOSERVE_RETURN_IF_ERROR(ValidateFileName(name));
    const std::string path = JoinPath(folder_, name);
    if (name == kManifestFile || files_.Exists(path)) {
      return absl::AlreadyExistsError(absl::StrCat(path, ": is put once, and the manifest by Commit"));
    }
    GENOSERVE_RETURN_IF_ERROR(files_.WriteFile(path, bytes));
    put_.push_back(path);
    return absl::OkStatus();
  }

  absl::Status Commit(absl::string_view manifest_json) override {
    GENOSERVE_RETURN_IF_ERROR(CheckOpen());
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(folder_));
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(model_folder_));
    // A publisher that stood still for a day may find its files collected as debris.
    for (const std::string& path : put_) {
      if (files_.Exists(path)) continue;
      return absl::FailedPreconditionError(absl::StrCat(path, ": was removed before the version was complete"));
    }
    const std::string path = JoinPath(folder_, kManifestFile);
    absl::Status status = WriteFileAtomically(files_, path, manifest_json);
    committed_ = status.ok() || files_.Exists(path);
    if (committed_ && !status.ok()) {
      return Annotate(status, absl::StrCat("version ", version_, " is published but may not survive a power cut"));
    }
    return status;
  }

 private:
  absl::Status CheckOpen() const {
    if (!committed_) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(folder_, ": is published, and versions never change"));
  }

  const FileSystem& files_;
  const std::string model_folder_;
  const std::string folder_;
  const int64_t version_;
  std::vector<std::string> put_;  // paths
  bool committed_ = false;
};

class PosixStore final : public CheckpointStore {
 public:
  PosixStore(const FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  absl::StatusOr<std::vector<std::string>> ListModels() const override {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFolder(folder_));
    std::vector<std::string> models;
    for (const std::string& name : names) {
      if (!ValidateModelName(name).ok()) continue;
      const absl::StatusOr<std::vector<int64_t>> versions = ListVersions(name);
      // One folder that cannot be read hides no other: whoever asks for its versions is told why.
      if (!versions.ok()) GENOSERVE_RETURN_IF_ERROR(CheckThere());
      if (!versions.ok() || !versions->empty()) models.push_back(name);
    }
    return models;
  }

  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> claims, ListClaims(JoinPath(folder_, model)));
    std::vector<int64_t> versions;
    for (const int64_t version : claims) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool exists, IsThere(Path(model, version, kManifestFile)));
      if (exists) versions.push_back(version);
    }
    return versions;
  }

  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateFileName(file));
    GENOSERVE_ASSIGN_OR_RETURN(const bool exists, IsThere(Path(model, version, kManifestFile)));
    if (version <= 0 || !exists) {
      GENOSERVE_RETURN_IF_ERROR(CheckThere());
      return absl::NotFoundError(absl::StrCat("model ", model, " has no version ", version, " in the store ", folder_));
    }
    auto bytes = files_.ReadFile(Path(model, version, file), limit);
    if (absl::IsNotFound(bytes.status())) GENOSERVE_RETURN_IF_ERROR(CheckThere());
    return bytes;
  }

  absl::StatusOr<absl::Time> PublishedAt(absl::string_view model, int64_t version) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    return files_.LastChange(Path(model, version, kManifestFile));
  }

  absl::StatusOr<std::unique_ptr<Publication>> Publish(absl::string_view model) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    const std::string model_folder = JoinPath(folder_, model);
    const absl::StatusOr<int64_t> version = Claim(model_folder);
    if (version.ok()) return std::make_unique<PosixPublication>(files_, model_folder, *version);
    RemoveIfEmpty(model_folder);
    return version.status();
  }

  absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    std::map<std::string, Label> labels;
    const std::string folder = LabelsFolder(model);
    const auto names = files_.ListFolder(folder);
    if (IsNoFolder(names.status())) {
      GENOSERVE_RETURN_IF_ERROR(CheckThere());
      return labels;
    }
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (!ValidateLabelName(name).ok() || IsTemporary(name)) continue;
      GENOSERVE_RETURN_IF_ERROR(AddLabel(name, ReadLabel(JoinPath(folder, name)), &labels));
    }
    return labels;
  }

  absl::Status SetLabel(absl::string_view model, absl::string_view label, int64_t version) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
    GENOSERVE_RETURN_IF_ERROR(ValidateVersion(version));
    const std::string folder = LabelsFolder(model);
    const std::string path = JoinPath(folder, label);
    GENOSERVE_RETURN_IF_ERROR(MakeLabelsFolder(JoinPath(folder_, model), folder));
    GENOSERVE_ASSIGN_OR_RETURN(const Label moved, Moved(ReadLabel(path), version));
    return WriteFileAtomically(files_, path, FormatLabel(moved));
  }

  absl::Status RemoveLabel(absl::string_view model, absl::string_view label) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    GENOSERVE_RETURN_IF_ERROR(ValidateLabelName(label));
    const std::string folder = LabelsFolder(model);
    if (!files_.Exists(JoinPath(folder, label))) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(files_.Remove(JoinPath(folder, label)));
    return files_.SyncFolder(folder);
  }

  absl::Status RemoveVersion(absl::string_view model, int64_t version) override {
    GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model));
    const std::string folder = JoinPath(JoinPath(folder_, model), absl::StrCat(version));
    // One without a manifest may be on its way.
    if (version <= 0 || !files_.Exists(JoinPath(folder, kManifestFile))) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(files_.Remove(JoinPath(folder, kManifestFile)));
    GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(folder));
    return files_.Remove(folder);
  }

  absl::StatusOr<std::vector<Debris>> ListDebris() const override {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFolder(folder_));
    std::vector<Debris> all;
    for (const std::string& model : names) {
      if (!ValidateModelName(model).ok()) continue;
      GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> claims, ListClaims(JoinPath(folder_, model)));
      for (const int64_t version : claims) {
        const std::string path = JoinPath(model, absl::StrCat(version));
        const std::string folder = JoinPath(folder_, path);
        if (files_.Exists(JoinPath(folder, kManifestFile))) continue;
        const absl::StatusOr<absl::Time> change = LastChangeIn(folder);
        if (absl::IsNotFound(change.status())) continue;  // removed, or published, since the listing
        if (!change.ok()) return change.status();
        all.push_back({model, path, *change});
      }
      GENOSERVE_RETURN_IF_ERROR(AddUnfinishedLabels(model, &all));
    }
    return all;
  }

  absl::Status RemoveDebris(const Debris& debris) override {
    const std::vector<std::string> parts = absl::StrSplit(debris.path, '/');
    const bool claim = parts.size() == 2 && ParseVersion(parts[1]) > 0;
    const bool label = parts.size() == 3 && parts[1] == kLabelsFolder && IsTemporary(parts[2]);
    if (!ValidateModelName(parts[0]).ok() || !(claim || label)) {
      return absl::InvalidArgumentError(absl::StrCat(debris.path, ": is no debris of a store"));
    }
    const std::string path = JoinPath(folder_, debris.path);
    if (files_.Exists(JoinPath(path, kManifestFile))) {
      return absl::FailedPreconditionError(absl::StrCat(path, ": is a version now"));
    }
    GENOSERVE_RETURN_IF_ERROR(files_.Remove(path));
    if (claim) RemoveIfEmpty(JoinPath(folder_, parts[0]));
    return absl::OkStatus();
  }

 private:
  // What says that there is no folder, or that it is a file.
  static bool IsNoFolder(const absl::Status& status) {
    return absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
  }

  // A label that is being written; no label has such a name.
  static bool IsTemporary(const std::string& name) { return absl::StrContains(name, kTemporaryMark); }

  // Whether a file is there. What cannot be told, as of a mount that has gone stale, is an error and not a no.
  absl::StatusOr<bool> IsThere(const std::string& path) const {
    const absl::Status status = files_.LastChange(path).status();
    if (status.ok()) return true;
    if (IsNoFolder(status)) return false;
    return status;
  }

  // A store that is away has not lost its versions.
  absl::Status CheckThere() const {
    if (files_.Exists(folder_)) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("store ", folder_, ": there is no such folder now"));
  }

  std::string LabelsFolder(absl::string_view model) const { return JoinPath(JoinPath(folder_, model), kLabelsFolder); }

  absl::Status MakeFolderIfMissing(const std::string& folder) {
    absl::Status made = files_.MakeFolder(folder);
    return absl::IsAlreadyExists(made) ? absl::OkStatus() : made;
  }

  // A label may come before the first version of a model, and a publisher that gives up may remove the model's folder.
  absl::Status MakeLabelsFolder(const std::string& model_folder, const std::string& folder) {
    for (int i = 0; i < kMaxClaims; ++i) {
      GENOSERVE_RETURN_IF_ERROR(MakeFolderIfMissing(model_folder));
      absl::Status made = MakeFolderIfMissing(folder);
      if (absl::IsNotFound(made)) continue;
      if (!made.ok()) return made;
      GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(folder_));
      return files_.SyncFolder(model_folder);
    }
    return absl::AbortedError(absl::StrCat(model_folder, ": is made and removed again; try again"));
  }

  absl::StatusOr<Label> ReadLabel(const std::string& path) const {
    return LabelOf(files_.ReadFile(path, kLargestLabel), path);
  }

  // What is left of labels whose writers died.
  absl::Status AddUnfinishedLabels(const std::string& model, std::vector<Debris>* all) const {
    const auto names = files_.ListFolder(LabelsFolder(model));
    if (IsNoFolder(names.status())) return absl::OkStatus();
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (!IsTemporary(name)) continue;
      const absl::StatusOr<absl::Time> change = files_.LastChange(JoinPath(LabelsFolder(model), name));
      if (absl::IsNotFound(change.status())) continue;  // it was being written
      if (!change.ok()) return change.status();
      all->push_back({model, JoinPath(JoinPath(model, kLabelsFolder), name), *change});
    }
    return absl::OkStatus();
  }

  // Of a folder or of any file in it.
  absl::StatusOr<absl::Time> LastChangeIn(const std::string& folder) const {
    GENOSERVE_ASSIGN_OR_RETURN(absl::Time last, files_.LastChange(folder));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.ListFolder(folder));
    for (const std::string& name : names) {
      GENOSERVE_ASSIGN_OR_RETURN(const absl::Time change, files_.LastChange(JoinPath(folder, name)));
      last = std::max(last, change);
    }
    return last;
  }

  // Makes the folder of the next free version.
  absl::StatusOr<int64_t> Claim(const std::string& model_folder) {
    for (int i = 0; i < kMaxClaims; ++i) {
      GENOSERVE_RETURN_IF_ERROR(MakeFolderIfMissing(model_folder));
      // Synced each time: whoever made the folder may have died before syncing it.
      GENOSERVE_RETURN_IF_ERROR(files_.SyncFolder(folder_));
      GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> claims, ListClaims(model_folder));
      const int64_t version = claims.empty() ? 1 : claims.back() + 1;
      const absl::Status made = files_.MakeFolder(JoinPath(model_folder, absl::StrCat(version)));
      if (made.ok()) return version;
      // Another publisher claimed it, or failed and took the folder of the model with it.
      if (!absl::IsAlreadyExists(made) && !absl::IsNotFound(made)) return made;
    }
    return absl::AbortedError(
        absl::StrCat(model_folder, ": other publishers were faster ", kMaxClaims, " times; try again"));
  }

  // Numbers of all version folders, with a manifest or without, ascending. A model folder that is not there, or that is
  // a file, has none.
  absl::StatusOr<std::vector<int64_t>> ListClaims(const std::string& model_folder) const {
    std::vector<int64_t> claims;
    const auto names = files_.ListFolder(model_folder);
    if (IsNoFolder(names.status())) {
      GENOSERVE_RETURN_IF_ERROR(CheckThere());
      return claims;
    }
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (const int64_t version = ParseVersion(name); version > 0) claims.push_back(version);
    }
    std::sort(claims.begin(), claims.end());
    return claims;
  }

  std::string Path(absl::string_view model, int64_t version, absl::string_view file) const {
    return JoinPath(JoinPath(JoinPath(folder_, model), absl::StrCat(version)), file);
  }

  const FileSystem& files_;
  const std::string folder_;
};

// Finds out now, not after an hour of training, that nothing can be published.
absl::Status CheckWritable(const FileSystem& files, const std::string& folder) {
  const std::string probe = JoinPath(folder, absl::StrCat(".write-check-", ::getpid()));
  absl::Status status = files.WriteFile(probe, "");
  status.Update(files.Remove(probe));
  return status.ok() ? status : Annotate(status, absl::StrCat("store ", folder, " is not writable"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenPosixStore(const FileSystem& files, const std::string& folder,
                                                                bool create) {
  if (create) {
    const absl::Status made = files.MakeFolder(folder);
    if (!made.ok() && !absl::IsAlreadyExists(made)) return Annotate(made, "store");
  }
  const auto names = files.ListFolder(folder);
  if (absl::IsNotFound(names.status())) {
    return absl::NotFoundError(absl::StrCat("store ", folder, ": there is no such folder"));
  }
  if (absl::IsFailedPrecondition(names.status())) {
    return absl::FailedPreconditionError(absl::StrCat("store ", folder, ": is not a folder"));
  }
  if (!names.ok()) return Annotate(names.status(), "store");
  if (create) GENOSERVE_RETURN_IF_ERROR(CheckWritable(files, folder));
  return std::make_unique<PosixStore>(files, folder);
}

std::unique_ptr<CheckpointStore> PosixStoreThatMayBeAway(const FileSystem& files, const std::string& folder) {
  return std::make_unique<PosixStore>(files, folder);
}

}  // namespace genoserve
