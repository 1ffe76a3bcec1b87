#include "core/io/zarr_store.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/plain_output.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

using Json = nlohmann::json;

/// The fastest level: genotypes that look random gain little from slower ones.
constexpr int kLevel = 1;

absl::StatusOr<std::string> Compress(absl::string_view bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::string stream(size, '\0');
  if (::compress2(reinterpret_cast<Bytef*>(stream.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                  bytes.size(), kLevel) != Z_OK) {
    return absl::ResourceExhaustedError("not enough memory to compress a chunk");
  }
  stream.resize(size);
  return stream;
}

}  // namespace

void AppendText(absl::string_view text, std::string* bytes) {
  AppendInt<4>(*bytes, text.size());
  absl::StrAppend(bytes, text);
}

absl::Status ZarrStore::WriteFile(const std::string& name, absl::string_view bytes) {
  for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (folders_.insert(name.substr(0, slash)).second) {
      GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().MakeFolder(JoinPath(folder_, name.substr(0, slash))));
    }
  }
  const std::string path = JoinPath(folder_, name);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return WriteError(path);
  const absl::Cleanup close = [fd] { ::close(fd); };
  PlainOutput output(fd, path);
  GENOSERVE_RETURN_IF_ERROR(output.Write(bytes));
  GENOSERVE_RETURN_IF_ERROR(output.Close());
  return ::fsync(fd) == 0 ? absl::OkStatus() : WriteError(path);
}

absl::Status ZarrStore::WriteJson(const std::string& name, const Json& json) {
  metadata_[name] = json;
  return WriteFile(name, json.dump(1));
}

absl::Status ZarrStore::AddArray(const ZarrArray& array) {
  Json meta = {{"zarr_format", 2},
               {"shape", array.shape},
               {"chunks", array.chunks},
               {"dtype", array.type},
               {"order", "C"},
               {"fill_value", nullptr},
               {"dimension_separator", "/"},
               {"compressor", {{"id", "zlib"}, {"level", kLevel}}},
               {"filters", nullptr}};
  if (array.type == "|O") meta["filters"] = Json::array({{{"id", "vlen-utf8"}}});
  GENOSERVE_RETURN_IF_ERROR(WriteJson(array.name + "/.zarray", meta));
  return WriteJson(array.name + "/.zattrs", {{"_ARRAY_DIMENSIONS", array.dimensions}});
}

absl::Status ZarrStore::WriteStream(const ZarrArray& array, const std::vector<size_t>& place,
                                    absl::string_view stream) {
  return WriteFile(absl::StrCat(array.name, "/", absl::StrJoin(place, "/")), stream);
}

absl::Status ZarrStore::WriteChunk(const ZarrArray& array, const std::vector<size_t>& place, absl::string_view bytes) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string stream, Compress(bytes));
  return WriteStream(array, place, stream);
}

absl::Status ZarrStore::WriteConstant(const ZarrArray& array, char value) {
  GENOSERVE_RETURN_IF_ERROR(AddArray(array));
  size_t bytes = 1;
  for (const size_t chunk : array.chunks) bytes *= chunk;
  GENOSERVE_ASSIGN_OR_RETURN(const std::string stream, Compress(std::string(bytes, value)));
  std::vector<size_t> place(array.shape.size(), 0);
  // Counts through the places of all chunks, the last dimension first.
  for (size_t d = place.size(); d > 0;) {
    GENOSERVE_RETURN_IF_ERROR(WriteStream(array, place, stream));
    for (d = place.size(); d > 0 && ++place[d - 1] * array.chunks[d - 1] >= array.shape[d - 1]; --d) place[d - 1] = 0;
  }
  return absl::OkStatus();
}

absl::Status ZarrStore::WriteArray(const ZarrArray& array,
                                   absl::FunctionRef<void(size_t i, std::string* bytes)> value) {
  GENOSERVE_RETURN_IF_ERROR(AddArray(array));
  const bool texts = array.type == "|O";
  size_t row_values = 1;
  for (size_t d = 1; d < array.chunks.size(); ++d) row_values *= array.chunks[d];
  std::vector<size_t> place(array.chunks.size(), 0);
  for (size_t first = 0; first < array.shape[0]; first += array.chunks[0], ++place[0]) {
    std::string bytes;
    if (texts) AppendInt<4>(bytes, array.chunks[0] * row_values);
    const size_t end = std::min(first + array.chunks[0], array.shape[0]);
    for (size_t i = first; i < end; ++i) value(i, &bytes);
    // What a last chunk has beyond the array is never read.
    const size_t row_bytes = texts ? 4 * row_values : bytes.size() / (end - first);
    bytes.resize(bytes.size() + (first + array.chunks[0] - end) * row_bytes, '\0');
    GENOSERVE_RETURN_IF_ERROR(WriteChunk(array, place, bytes));
  }
  return absl::OkStatus();
}

absl::Status ZarrStore::Finish(const Json& attributes) {
  GENOSERVE_RETURN_IF_ERROR(WriteJson(".zgroup", {{"zarr_format", 2}}));
  GENOSERVE_RETURN_IF_ERROR(WriteJson(".zattrs", attributes));
  GENOSERVE_RETURN_IF_ERROR(
      WriteFile(".zmetadata", Json{{"metadata", metadata_}, {"zarr_consolidated_format", 1}}.dump(1)));
  for (const std::string& folder : folders_) {
    GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().SyncFolder(JoinPath(folder_, folder)));
  }
  return FileSystem::Posix().SyncFolder(folder_);
}

}  // namespace genoserve
