#include "core/artifact/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"

// Format: https://github.com/huggingface/safetensors#format
namespace genoserve {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors is little-endian and is copied as it is");

constexpr size_t kLengthBytes = 8;
constexpr size_t kNumberBytes = 4;  // of both types
constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;
constexpr absl::string_view kMetadataKey = "__metadata__";

// One tensor as the header tells it. Offsets count from the end of the header.
struct HeaderEntry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> offsets;
  bool has_shape = false;
};

// Takes the header apart while it is parsed, so that nothing deeper or other than
// {"name": {"dtype": "F32" or "U32", "shape": [...], "data_offsets": [...]}, "__metadata__": {"key": "text"}} is ever
// built.
class HeaderHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<HeaderEntry>& entries() { return entries_; }
  const std::string& error() const { return error_; }

  bool start_object(size_t) override {
    if (place_ == Place::kOutside) return Enter(Place::kTop);
    if (place_ == Place::kTop && !key_.empty()) {
      if (key_ == kMetadataKey) return Enter(Place::kMetadata);
      entries_.push_back({.name = key_, .dtype = {}, .shape = {}, .offsets = {}});
      return Enter(Place::kTensor);
    }
    return Unexpected("an object");
  }
  bool end_object() override {
    if (place_ == Place::kTensor) {
      const HeaderEntry& entry = entries_.back();
      if (entry.dtype.empty() || !entry.has_shape || entry.offsets.size() != 2) {
        return Fail("needs dtype, shape and two data_offsets");
      }
    }
    key_.clear();
    place_ = place_ == Place::kTop ? Place::kOutside : Place::kTop;
    return true;
  }
  bool start_array(size_t) override {
    if (place_ == Place::kTensor && key_ == "shape") {
      entries_.back().has_shape = true;
      return Enter(Place::kShape);
    }
    if (place_ == Place::kTensor && key_ == "data_offsets") return Enter(Place::kOffsets);
    return Unexpected("an array");
  }
  bool end_array() override { return Enter(Place::kTensor); }
  bool key(std::string& key) override {
    key_ = key;
    if (place_ == Place::kTop && key.empty()) return Fail("a tensor has no name");
    const HeaderEntry* const entry = entries_.empty() ? nullptr : &entries_.back();
    const bool twice = place_ == Place::kTensor &&
                       ((key == "dtype" && !entry->dtype.empty()) || (key == "shape" && entry->has_shape) ||
                        (key == "data_offsets" && !entry->offsets.empty()));
    return twice ? Fail(absl::StrCat(key, " is there twice")) : true;
  }
  bool string(std::string& text) override {
    if (place_ == Place::kMetadata) return true;
    if (place_ != Place::kTensor || key_ != "dtype") return Unexpected("a text");
    if (text != "F32" && text != "U32") {
      return Fail(absl::StrCat("has the type ", text.substr(0, 16), ", only F32 and U32 are read"));
    }
    entries_.back().dtype = text;
    return true;
  }
  bool number_unsigned(uint64_t number) override {
    if (place_ == Place::kShape) {
      entries_.back().shape.push_back(number);
    } else if (place_ == Place::kOffsets) {
      entries_.back().offsets.push_back(number);
    } else {
      return Unexpected("a number");
    }
    return true;
  }
  bool number_integer(int64_t) override { return Unexpected("a negative number"); }
  bool number_float(double, const std::string&) override { return Unexpected("a number that is not whole"); }
  bool boolean(bool) override { return Unexpected("a truth value"); }
  bool null() override { return Unexpected("null"); }
  bool binary(nlohmann::json::binary_t&) override { return Unexpected("bytes"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) override {
    error_ = absl::StrCat("is not JSON at byte ", position);
    return false;
  }

 private:
  enum class Place { kOutside, kTop, kMetadata, kTensor, kShape, kOffsets };

  bool Enter(Place place) {
    place_ = place;
    return true;
  }
  bool Fail(absl::string_view what) {
    const bool in_tensor = place_ == Place::kTensor || place_ == Place::kShape || place_ == Place::kOffsets;
    error_ = in_tensor ? absl::StrCat("tensor ", entries_.back().name, ": ", what) : std::string(what);
    return false;
  }
  bool Unexpected(absl::string_view what) {
    return Fail(key_.empty() ? absl::StrCat(what, " where an object is expected")
                             : absl::StrCat(what, " is not expected under \"", key_.substr(0, 64), "\""));
  }

  Place place_ = Place::kOutside;
  std::string key_;
  std::vector<HeaderEntry> entries_;
  std::string error_;
};

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("safetensors: ", what));
}

// The data of a tensor, whatever its type.
absl::string_view DataOf(const Tensor& tensor) {
  if (tensor.words.empty()) {
    return {reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * kNumberBytes};
  }
  return {reinterpret_cast<const char*>(tensor.words.data()), tensor.words.size() * kNumberBytes};
}

// Bytes of a tensor of this shape; false where they are more than 64 bits count.
bool BytesOfShape(const std::vector<uint64_t>& shape, uint64_t& bytes) {
  bytes = kNumberBytes;
  for (const uint64_t size : shape) {
    if (size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
    if (__builtin_mul_overflow(bytes, size, &bytes)) return false;
  }
  return true;
}

}  // namespace

std::string SerializeSafetensors(const TensorMap& tensors) {
  std::string header = "{";
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string quoted = nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const uint64_t end = offset + DataOf(tensor).size();
    absl::StrAppend(&header, header.size() == 1 ? "" : ",", quoted, R"(:{"dtype":")",
                    tensor.words.empty() ? "F32" : "U32", R"(","shape":[)", absl::StrJoin(tensor.shape, ","));
    absl::StrAppend(&header, R"(],"data_offsets":[)", offset, ",", end, "]}");
    offset = end;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');

  const uint64_t length = header.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + header.size() + offset);
  bytes += header;
  for (const auto& [name, tensor] : tensors) {
    absl::StrAppend(&bytes, DataOf(tensor));
  }
  return bytes;
}

absl::StatusOr<TensorMap> ParseSafetensors(absl::string_view bytes) {
  if (bytes.size() < kLengthBytes) return Malformed("the file is shorter than 8 bytes");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeaderBytes)
    return Malformed(absl::StrCat("a header of ", length, " bytes, at most 16 MiB are read"));
  if (length > bytes.size() - kLengthBytes) {
    return Malformed(absl::StrCat("a header of ", length, " bytes in a file of ", bytes.size()));
  }
  const absl::string_view header = bytes.substr(kLengthBytes, length);
  const absl::string_view data = bytes.substr(kLengthBytes + length);
  if (header.empty() || header.front() != '{') return Malformed("the header does not begin with '{'");
  HeaderHandler handler;
  if (!nlohmann::json::sax_parse(header.begin(), header.end(), &handler)) {
    return Malformed(absl::StrCat("header: ", handler.error()));
  }

  std::vector<HeaderEntry>& entries = handler.entries();
  std::sort(entries.begin(), entries.end(),
            [](const HeaderEntry& a, const HeaderEntry& b) { return a.offsets < b.offsets; });
  TensorMap tensors;
  uint64_t end = 0;
  for (const HeaderEntry& entry : entries) {
    const auto error = [&entry](absl::string_view what) {
      return Malformed(absl::StrCat("tensor ", entry.name, ": ", what));
    };
    uint64_t size = 0;
    if (!BytesOfShape(entry.shape, size)) return error("the shape is too large");
    if (entry.offsets[0] != end) {
      return error(absl::StrCat("begins at byte ", entry.offsets[0], ", expected ", end, ": overlap or hole"));
    }
    if (entry.offsets[1] < entry.offsets[0] || entry.offsets[1] - entry.offsets[0] != size) {
      return error(absl::StrCat("ends at byte ", entry.offsets[1], ", its shape needs ", size, " bytes"));
    }
    if (entry.offsets[1] > data.size()) {
      return error(absl::StrCat("ends at byte ", entry.offsets[1], " of ", data.size(), " bytes of data"));
    }
    end = entry.offsets[1];
    Tensor tensor;
    tensor.shape.assign(entry.shape.begin(), entry.shape.end());
    const char* const from = data.data() + entry.offsets[0];
    if (entry.dtype == "U32") {
      tensor.words.resize(size / kNumberBytes);
      if (size > 0) std::memcpy(tensor.words.data(), from, size);
    } else {
      tensor.values.resize(size / kNumberBytes);
      if (size > 0) std::memcpy(tensor.values.data(), from, size);
    }
    if (!tensors.emplace(entry.name, std::move(tensor)).second) return error("is there twice");
  }
  if (end != data.size()) return Malformed(absl::StrCat(data.size() - end, " bytes belong to no tensor"));
  return tensors;
}

}  // namespace genoserve
