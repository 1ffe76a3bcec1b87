#include "core/artifact/store_tools.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/artifact/manifest_json.h"
#include "core/artifact/store_labels.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

absl::Status Cancelled() { return absl::CancelledError("interrupted"); }

// Of the files that a manifest lists.
uint64_t SizeOf(const v1::Manifest& manifest) {
  uint64_t size = 0;
  for (const v1::ArtifactFile& file : manifest.files()) size += static_cast<uint64_t>(file.size());
  return size;
}

// Fills in what the manifest says, or why it says nothing.
void ReadSummary(const CheckpointStore& store, VersionSummary* summary) {
  const auto json = store.Read(summary->model, summary->version, kManifestFile, kMaxManifestBytes);
  summary->manifest = json.status();
  if (!json.ok()) return;
  const auto manifest = ParseManifest(*json);
  summary->manifest = manifest.ok() ? ValidateManifest(*manifest) : manifest.status();
  if (!summary->manifest.ok()) return;
  summary->digest = Sha256Hex(*json);
  summary->size = json->size() + SizeOf(*manifest);
  if (manifest->has_gate()) summary->gate = manifest->gate();
}

// The newest version of a model that has this digest, or 0.
absl::StatusOr<int64_t> FindDigest(const CheckpointStore& store, absl::string_view model, const std::string& digest) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, store.ListVersions(model));
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    const auto json = store.Read(model, *version, kManifestFile, kMaxManifestBytes);
    if (absl::IsNotFound(json.status())) continue;  // removed since the listing
    if (!json.ok()) return json.status();
    if (Sha256Hex(*json) == digest) return *version;
  }
  return 0;
}

absl::Status RemoveOldVersions(CheckpointStore& store, const std::string& model, const GcOptions& options,
                               const Interrupted& interrupted, GcReport* report) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, store.ListVersions(model));
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  for (const int64_t version : VersionsToRemove(versions, labels, *options.keep)) {
    if (interrupted()) return Cancelled();
    VersionSummary summary;
    summary.model = model;
    summary.version = version;
    ReadSummary(store, &summary);
    GENOSERVE_ASSIGN_OR_RETURN(const auto labels_now, store.ListLabels(model));
    if (VersionsToRemove({version, version + 1}, labels_now, 1).empty()) continue;
    if (!options.dry_run) GENOSERVE_RETURN_IF_ERROR(store.RemoveVersion(model, version));
    report->versions.push_back({model, version, summary.size});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<VersionSummary>> SummarizeModel(const CheckpointStore& store, absl::string_view model) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, VersionsOf(store, model));
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  std::vector<VersionSummary> summaries;
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    VersionSummary summary;
    summary.model = std::string(model);
    summary.version = *version;
    for (const auto& [name, label] : labels) {
      if (label.version != *version) continue;
      if (IsPinLabel(name)) {
        summary.pinned = true;
      } else {
        summary.labels.push_back(name);
      }
    }
    const auto published_at = store.PublishedAt(model, *version);
    if (absl::IsNotFound(published_at.status())) continue;  // removed since the listing
    if (!published_at.ok()) return published_at.status();
    summary.published_at = *published_at;
    ReadSummary(store, &summary);
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

std::vector<int64_t> VersionsToRemove(const std::vector<int64_t>& versions, const std::map<std::string, Label>& labels,
                                      int64_t keep) {
  const auto count = static_cast<int64_t>(versions.size());
  std::vector<int64_t> old(versions.begin(),
                           versions.begin() + std::max<int64_t>(count - std::max<int64_t>(keep, 1), 0));
  for (const auto& [name, label] : labels) {
    std::erase(old, label.version);
    if (name == kStableLabel) std::erase(old, label.previous);
  }
  return old;
}

absl::Status CollectGarbage(CheckpointStore& store, const GcOptions& options, const Interrupted& interrupted,
                            GcReport* report) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<Debris> debris, store.ListDebris());
  for (const Debris& left : debris) {
    if (left.last_change >= options.debris_before) continue;
    if (interrupted()) return Cancelled();
    if (!options.dry_run) {
      const absl::Status removed = store.RemoveDebris(left);
      if (absl::IsFailedPrecondition(removed)) continue;  // a version by now
      GENOSERVE_RETURN_IF_ERROR(removed);
    }
    report->debris.push_back(left);
  }
  if (!options.keep.has_value()) return absl::OkStatus();
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> models, store.ListModels());
  for (const std::string& model : models) {
    GENOSERVE_RETURN_IF_ERROR(RemoveOldVersions(store, model, options, interrupted, report));
  }
  return absl::OkStatus();
}

absl::StatusOr<CopyReport> CopyVersion(const CheckpointStore& source, absl::string_view model, int64_t version,
                                       CheckpointStore& target, absl::string_view target_model,
                                       const Interrupted& interrupted) {
  GENOSERVE_RETURN_IF_ERROR(ValidateModelName(target_model));
  GENOSERVE_ASSIGN_OR_RETURN(const std::string json, source.Read(model, version, kManifestFile, kMaxManifestBytes));
  const auto manifest = ParseManifest(json);
  const absl::Status valid = manifest.ok() ? ValidateManifest(*manifest) : manifest.status();
  if (!valid.ok()) return Annotate(valid, kManifestFile);
  CopyReport report;
  report.digest = Sha256Hex(json);
  report.size = json.size() + SizeOf(*manifest);
  GENOSERVE_ASSIGN_OR_RETURN(report.version, FindDigest(target, target_model, report.digest));
  report.was_there = report.version > 0;
  if (report.was_there) return report;

  GENOSERVE_ASSIGN_OR_RETURN(const auto publication, target.Publish(target_model));
  for (const v1::ArtifactFile& file : manifest->files()) {
    if (interrupted()) return Cancelled();
    GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, ReadListedFile(source, model, version, file));
    GENOSERVE_RETURN_IF_ERROR(publication->Put(file.name(), bytes));
  }
  GENOSERVE_RETURN_IF_ERROR(publication->Commit(json));
  report.version = publication->version();
  return report;
}

}  // namespace genoserve
