#include "core/artifact/blob_cache.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/store/store_paths.h"

namespace genoserve {
namespace {

namespace fs = std::filesystem;

// One that has not grown for so long has no writer any more.
constexpr std::chrono::hours kAbandoned(1);

struct Blob {
  std::string name;
  uint64_t size = 0;
  fs::file_time_type last_use;
  int worth = 0;
};

// What is in the folder. Files that go away meanwhile are left out.
std::vector<Blob> Scan(const std::string& folder) {
  std::vector<Blob> blobs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code gone;
    const uint64_t size = it->file_size(gone);
    if (gone) continue;
    const fs::file_time_type last_use = it->last_write_time(gone);
    if (!gone) blobs.push_back({it->path().filename().string(), size, last_use});
  }
  return blobs;
}

uint64_t SumOf(const std::vector<Blob>& blobs) {
  uint64_t sum = 0;
  for (const Blob& blob : blobs) sum += blob.size;
  return sum;
}

void UseNow(const std::string& path) {
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
}

}  // namespace

BlobCache::BlobCache(const FileSystem& files, std::string folder, uint64_t max_bytes)
    : files_(files), folder_(std::move(folder)), max_bytes_(max_bytes), held_bytes_(SumOf(Scan(folder_))) {}

absl::StatusOr<std::string> BlobCache::Get(const std::string& digest, uint64_t size) const {
  absl::StatusOr<std::string> bytes = files_.ReadFile(Path(digest), size);
  if (bytes.ok() && bytes->size() == size && Sha256Hex(*bytes) == digest) {
    UseNow(Path(digest));
    return bytes;
  }
  // What cannot be read now may be good, and the only copy.
  if (!bytes.ok() && Has(digest, size)) return bytes.status();
  if (absl::IsNotFound(bytes.status())) return bytes.status();
  ++damaged_;
  files_.Remove(Path(digest)).IgnoreError();
  return absl::NotFoundError(absl::StrCat(Path(digest), ": was damaged"));
}

bool BlobCache::Has(const std::string& digest, uint64_t size) const {
  std::error_code error;
  const uint64_t found = fs::file_size(Path(digest), error);
  return !error && found == size;
}

absl::Status BlobCache::Put(const std::string& digest, absl::string_view bytes, const BlobWorth& worth) const {
  if (Has(digest, bytes.size())) return absl::OkStatus();
  if (absl::Status made = files_.MakeFolder(folder_); !made.ok() && !absl::IsAlreadyExists(made)) return made;
  const auto own = worth.find(digest);
  GENOSERVE_RETURN_IF_ERROR(MakeRoom(bytes.size(), own == worth.end() ? 0 : own->second, worth));
  GENOSERVE_RETURN_IF_ERROR(WriteFileAtomically(files_, Path(digest), bytes));
  UseNow(Path(digest));
  held_bytes_ += bytes.size();
  return absl::OkStatus();
}

void BlobCache::Touch(const std::string& digest) const { UseNow(Path(digest)); }

absl::Status BlobCache::MakeRoom(uint64_t size, int worth_of_new, const BlobWorth& worth) const {
  std::vector<Blob> blobs = Scan(folder_);
  uint64_t held = SumOf(blobs);
  std::vector<Blob> removable;
  for (Blob& blob : blobs) {
    if (absl::StrContains(blob.name, kTemporaryMark)) {
      const bool abandoned = blob.last_use < fs::file_time_type::clock::now() - kAbandoned;
      if (abandoned && files_.Remove(Path(blob.name)).ok()) held -= blob.size;
      continue;
    }
    const auto found = worth.find(blob.name);
    blob.worth = found == worth.end() ? 0 : found->second;
    if (blob.worth <= worth_of_new) removable.push_back(std::move(blob));
  }
  // Nothing is removed where that would not suffice.
  if (size > max_bytes_ || held - SumOf(removable) > max_bytes_ - size) {
    held_bytes_ = held;
    return absl::ResourceExhaustedError(
        absl::StrFormat("%s: may hold %d bytes, which versions in use take up", folder_, max_bytes_));
  }
  std::sort(removable.begin(), removable.end(), [](const Blob& a, const Blob& b) {
    return std::tie(a.worth, a.last_use, a.name) < std::tie(b.worth, b.last_use, b.name);
  });
  for (const Blob& blob : removable) {
    if (held + size <= max_bytes_) break;
    GENOSERVE_RETURN_IF_ERROR(files_.Remove(Path(blob.name)));
    held -= blob.size;
    ++evictions_;
  }
  held_bytes_ = held;
  return absl::OkStatus();
}

}  // namespace genoserve
