// Arrays of Zarr format 2 in a folder, as they are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/io/zarr_codec.h"

namespace genoserve {

/// An array of a group, read chunk by chunk. Not thread-safe.
class ZarrArrayFile {
 public:
  /// Reads .zarray. NOT_FOUND where there is none; INVALID_ARGUMENT for another format than 2, another order than C, a
  /// compressor other than those of ZarrCodec, and a chunk of more than 1 GiB; DATA_LOSS where it is malformed.
  static absl::StatusOr<ZarrArrayFile> Open(const std::string& folder, const std::string& name);

  const std::vector<size_t>& shape() const { return shape_; }
  const std::vector<size_t>& chunks() const { return chunks_; }

  /// The numbers of a chunk, of its full shape; whole numbers and booleans of 1 to 8 bytes, the nearest that a Number,
  /// int8_t or int64_t, holds. A chunk that is not there has the fill value throughout. DATA_LOSS where it has another
  /// size, or is not there and the array has no fill value; INVALID_ARGUMENT where it takes more than 1 GiB as Numbers.
  template <typename Number>
  absl::StatusOr<std::vector<Number>> ReadNumbers(const std::vector<size_t>& place) const;
  /// The texts of a chunk, in UTF-8, of its full shape. DATA_LOSS also where it is not there; INVALID_ARGUMENT where it
  /// has more than 2^25 texts.
  absl::StatusOr<std::vector<std::string>> ReadTexts(const std::vector<size_t>& place) const;

  /// All numbers, or texts, of an array of one dimension with at most 2^27 numbers or 2^25 texts of 1 GiB together.
  absl::StatusOr<std::vector<int64_t>> ReadAllNumbers() const;
  absl::StatusOr<std::vector<std::string>> ReadAllTexts() const;

 private:
  ZarrArrayFile() = default;
  absl::Status Broken(absl::string_view what) const;
  /// INVALID_ARGUMENT where a chunk with so many bytes for a value would take more than 1 GiB of memory.
  absl::Status CheckChunk(size_t value_bytes) const;
  /// The array has one dimension with at most `most` values.
  absl::Status CheckIsList(size_t most) const;
  /// The bytes of a chunk; empty where it is not there. At most `limit`.
  absl::StatusOr<std::string> ReadBytes(const std::vector<size_t>& place, size_t limit, bool* there) const;

  std::string path_;
  std::vector<size_t> shape_;
  std::vector<size_t> chunks_;
  size_t chunk_values_ = 1;
  size_t item_bytes_ = 0;  // 0 = text
  bool is_signed_ = false;
  ZarrCodec codec_ = ZarrCodec::kNone;
  std::string separator_ = ".";
  std::optional<int64_t> fill_;
};

}  // namespace genoserve
