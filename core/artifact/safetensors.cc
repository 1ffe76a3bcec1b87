#include "core/artifact/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr uint64_t kMaxHeader = uint64_t{16} << 20;
constexpr size_t kLengthBytes = 8;

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("safetensors: ", what));
}

// The number of values of a shape; -1 where a size is negative or the product too large.
int64_t ValueCount(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0 || (size > 0 && count > std::numeric_limits<int64_t>::max() / 8 / size)) return -1;
    count *= size;
  }
  return count;
}

// Where a tensor lies in the data, from the header.
struct Entry {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string name;
  std::vector<int64_t> shape;
};

absl::StatusOr<Entry> ParseEntry(const std::string& name, const nlohmann::json& json) {
  const auto error = [&name](absl::string_view what) {
    return Malformed(absl::StrCat("tensor \"", name, "\": ", what));
  };
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    return error("expected dtype, shape and data_offsets");
  }
  if (json["dtype"] != "F32") return error(absl::StrCat("dtype ", json["dtype"].dump(), ", only \"F32\" is read"));
  const nlohmann::json& shape = json["shape"];
  const nlohmann::json& offsets = json["data_offsets"];
  const auto all_unsigned = [](const nlohmann::json& array) {
    return array.is_array() &&
           std::all_of(array.begin(), array.end(), [](const nlohmann::json& v) { return v.is_number_unsigned(); });
  };
  if (!all_unsigned(shape) || !all_unsigned(offsets) || offsets.size() != 2) {
    return error("shape and the two data_offsets must be numbers from 0");
  }
  Entry entry;
  entry.name = name;
  for (const nlohmann::json& size : shape) {
    const auto value = size.get<uint64_t>();
    if (value > uint64_t{1} << 40) return error("a size is too large");
    entry.shape.push_back(static_cast<int64_t>(value));
  }
  entry.begin = offsets[0].get<uint64_t>();
  entry.end = offsets[1].get<uint64_t>();
  const int64_t count = ValueCount(entry.shape);
  if (count < 0 || entry.end < entry.begin || entry.end - entry.begin != static_cast<uint64_t>(count) * sizeof(float)) {
    return error("data_offsets do not fit the shape");
  }
  return entry;
}

}  // namespace

std::string SerializeSafetensors(const TensorMap& tensors) {
  // std::map and nlohmann::json both sort by name, so the bytes depend on the tensors alone.
  nlohmann::json header = nlohmann::json::object();
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t bytes = tensor.values.size() * sizeof(float);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + length + offset);
  bytes += text;
  for (const auto& [name, tensor] : tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
  }
  return bytes;
}

absl::StatusOr<TensorMap> ParseSafetensors(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) return Malformed("shorter than 8 bytes");
  uint64_t length;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeader || length > bytes.size() - kLengthBytes) {
    return Malformed(absl::StrCat("the header of ", length, " bytes is longer than the file or 16 MiB"));
  }
  const absl::string_view text = bytes.substr(kLengthBytes, length);
  const absl::string_view data = bytes.substr(kLengthBytes + length);
  std::vector<std::string> names;
  const auto note_names = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event == nlohmann::json::parse_event_t::key && depth == 1) names.push_back(parsed.get<std::string>());
    return depth < 8;
  };
  const nlohmann::json header = nlohmann::json::parse(text.begin(), text.end(), note_names, false);
  if (!header.is_object()) return Malformed("the header is not a JSON object");
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) return Malformed("a tensor name comes twice");

  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") continue;
    auto entry = ParseEntry(name, json);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  uint64_t offset = 0;
  TensorMap tensors;
  for (Entry& entry : entries) {
    if (entry.begin != offset || entry.end > data.size()) {
      return Malformed(
          absl::StrCat("tensor \"", entry.name, "\": overlaps another, leaves a hole, or ends after the file"));
    }
    offset = entry.end;
    Tensor tensor;
    tensor.shape = std::move(entry.shape);
    tensor.values.resize((entry.end - entry.begin) / sizeof(float));
    std::memcpy(tensor.values.data(), data.data() + entry.begin, entry.end - entry.begin);
    tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  if (offset != data.size())
    return Malformed(absl::StrCat(data.size() - offset, " bytes are left after the last tensor"));
  return tensors;
}

}  // namespace genoserve
