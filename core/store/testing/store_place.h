// Places where tests keep a store: a folder, or a bucket of each S3 server that is installed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/checkpoint_store.h"
#include "core/store/s3_client.h"

namespace genoserve {

enum class PlaceKind { kFolder, kMoto, kMinio };

/// The kinds that are there on this machine.
std::vector<PlaceKind> InstalledPlaces();
/// "Folder", "Moto" or "Minio".
std::string PlaceName(PlaceKind kind);

/// A place of its own for one store, empty at first.
class StorePlace {
 public:
  explicit StorePlace(PlaceKind kind);
  ~StorePlace();
  StorePlace(const StorePlace&) = delete;
  StorePlace& operator=(const StorePlace&) = delete;

  /// What OpenStore is given; users of a bucket need the server's variables too.
  const std::string& url() const { return url_; }
  absl::StatusOr<std::unique_ptr<CheckpointStore>> Open(bool create);
  /// Writes a file or object below the store, with the folders that it needs.
  void Plant(absl::string_view path, absl::string_view bytes);
  /// All files or objects below the store, but for the probe of writing.
  std::vector<std::string> Everything();
  /// Publishes `count` versions of a model in each of so many processes at once; their exit codes.
  std::vector<int> RunPublishers(int processes, const std::string& model, int count);

 private:
  const PlaceKind kind_;
  std::string url_;
  std::unique_ptr<S3Client> client_;  // of a bucket
};

}  // namespace genoserve
