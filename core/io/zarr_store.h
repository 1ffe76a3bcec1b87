// Zarr format 2 in a folder: groups, arrays and their chunks.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace genoserve {

/// An array as its .zarray and .zattrs tell it. Chunks are zlib streams; a chunk that is not there is `fill`
/// throughout.
struct ZarrArray {
  std::string name;
  std::string type;  ///< as NumPy has it: "|i1", "<i4", ...; "|O" = text in UTF-8
  std::vector<std::string> dimensions;
  std::vector<size_t> shape;
  std::vector<size_t> chunks;
};

/// Appends a text as arrays of text have it: its length in 4 bytes, little-endian, and its bytes.
void AppendText(absl::string_view text, std::string* bytes);

/// Writes a group into a folder. Errors as of WriteError. Not thread-safe.
class ZarrStore {
 public:
  /// The folder must be there and empty.
  explicit ZarrStore(std::string folder) : folder_(std::move(folder)) {}

  /// Begins an array.
  absl::Status AddArray(const ZarrArray& array);
  /// Writes a chunk, which has the full shape of chunks, C order, whatever of it lies in the array.
  absl::Status WriteChunk(const ZarrArray& array, const std::vector<size_t>& place, absl::string_view bytes);
  /// Begins and writes an array of one chunk in all dimensions but the first: `value(i)` appends the bytes of its i-th
  /// row, or for text a word as AppendText has it.
  absl::Status WriteArray(const ZarrArray& array, absl::FunctionRef<void(size_t i, std::string* bytes)> value);

  /// Begins and writes an array of bytes that are all the same.
  absl::Status WriteConstant(const ZarrArray& array, char value);

  /// Writes what the group tells of itself, and brings everything to the disk. Call once, last.
  absl::Status Finish(const nlohmann::json& attributes);

 private:
  /// Writes a compressed chunk.
  absl::Status WriteStream(const ZarrArray& array, const std::vector<size_t>& place, absl::string_view stream);
  absl::Status WriteJson(const std::string& name, const nlohmann::json& json);
  /// Creates a file of the group with these bytes, and the folders that it lies in.
  absl::Status WriteFile(const std::string& name, absl::string_view bytes);

  const std::string folder_;
  nlohmann::json metadata_ = nlohmann::json::object();  // all of it, for .zmetadata
  std::set<std::string> folders_;                       // that were made
};

}  // namespace genoserve
