// A folder of bytes under their SHA-256, of bounded size: what was used last stays.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/file.h"

namespace genoserve {

/// How much each blob is worth keeping, by its SHA-256; blobs that are not named are worth 0. A blob makes room for
/// another one of at least its own worth.
using BlobWorth = std::map<std::string, int>;

/// One file a blob, whose name is its SHA-256 and whose modification time is its last use. Several processes, also on
/// several machines, may share a folder: a blob appears under its name when it is whole, and is checked whenever it is
/// read. The bound is kept by each of them for all, but for what they write at the same moment. Thread-safe.
class BlobCache {
 public:
  /// The folder, whose parent must be there, is made at the first Put. Holds at most `max_bytes`.
  BlobCache(const FileSystem& files, std::string folder, uint64_t max_bytes);

  /// The bytes of a blob, which is now the last used. NOT_FOUND where it is not there or is not what it should be: then
  /// it is removed.
  absl::StatusOr<std::string> Get(const std::string& digest, uint64_t size) const;
  /// Whether a blob of this size is there, as its name and size tell.
  bool Has(const std::string& digest, uint64_t size) const;
  /// Keeps bytes, whose SHA-256 is `digest`, after removing those that are worth no more and were not used for the
  /// longest time. RESOURCE_EXHAUSTED where there are not enough of them, or the disk is full; errors of files.
  absl::Status Put(const std::string& digest, absl::string_view bytes, const BlobWorth& worth) const;
  /// Counts as a use, so that other processes do not remove it.
  void Touch(const std::string& digest) const;

  uint64_t max_bytes() const { return max_bytes_; }
  /// Bytes in the folder, as of the last Put of this process.
  uint64_t held_bytes() const { return held_bytes_; }
  /// Blobs that this process removed to make room.
  int64_t evictions() const { return evictions_; }
  /// Blobs that this process found damaged.
  int64_t damaged() const { return damaged_; }

 private:
  std::string Path(const std::string& digest) const { return JoinPath(folder_, digest); }
  absl::Status MakeRoom(uint64_t size, int worth_of_new, const BlobWorth& worth) const;

  const FileSystem& files_;
  const std::string folder_;
  const uint64_t max_bytes_;
  mutable std::atomic<uint64_t> held_bytes_ = 0;
  mutable std::atomic<int64_t> evictions_ = 0;
  mutable std::atomic<int64_t> damaged_ = 0;
};

}  // namespace genoserve
