// What a cache folder knows of one store: which manifest each version has, and the labels of each model.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// A file by its digest.
struct BlobName {
  std::string digest;  ///< SHA-256, 64 hexadecimal digits
  uint64_t size = 0;   ///< bytes

  bool operator==(const BlobName&) const = default;
};

/// <folder>/<model>/<version> names the manifest of a version, <folder>/<model>/labels has the labels. Each is a small
/// file that is replaced in one step, so that several processes may share the folder; one that cannot be understood
/// counts as missing. Thread-safe, as it has no state.
class CacheIndex {
 public:
  CacheIndex(const FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  /// Models with a version, sorted.
  std::vector<std::string> Models() const;
  /// Versions of a model, ascending.
  std::vector<int64_t> Versions(absl::string_view model) const;
  /// The manifest of a version.
  std::optional<BlobName> Manifest(absl::string_view model, int64_t version) const;
  /// The labels of a model; empty where none are known.
  std::map<std::string, Label> Labels(absl::string_view model) const;

  /// Errors of files. The parent of the folder must be there.
  absl::Status SetManifest(absl::string_view model, int64_t version, const BlobName& manifest) const;
  absl::Status SetLabels(absl::string_view model, const std::map<std::string, Label>& labels) const;
  /// Forgets a version, and with the last one the labels.
  void Remove(absl::string_view model, int64_t version) const;

 private:
  std::string ModelFolder(absl::string_view model) const { return JoinPath(folder_, model); }
  absl::Status Write(absl::string_view model, absl::string_view name, absl::string_view text) const;

  const FileSystem& files_;
  const std::string folder_;
};

}  // namespace genoserve
