#include "core/io/zarr_array.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace genoserve {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostBytes = size_t{1} << 30;
constexpr size_t kMostNumbers = kMostBytes / sizeof(int64_t);
constexpr size_t kMostTexts = kMostBytes / sizeof(std::string);

/// Sizes from 1 on, of an array of JSON; empty where it is something else.
std::vector<size_t> SizesOf(const Json& json, const char* key) {
  std::vector<size_t> sizes;
  if (!json.contains(key) || !json[key].is_array()) return {};
  for (const Json& size : json[key]) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() == 0) return {};
    sizes.push_back(size.get<uint64_t>());
  }
  return sizes;
}

}  // namespace

absl::Status ZarrArrayFile::Broken(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat(path_, ": ", what));
}

absl::StatusOr<ZarrArrayFile> ZarrArrayFile::Open(const std::string& folder, const std::string& name) {
  ZarrArrayFile array;
  array.path_ = JoinPath(folder, name);
  const std::string file = JoinPath(array.path_, ".zarray");
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(file, 1 << 20));
  const Json json = Json::parse(text, nullptr, false);
  const auto refuse = [&file](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(file, ": ", what));
  };
  if (!json.is_object()) return absl::DataLossError(absl::StrCat(file, ": is not JSON"));
  if (json.value("zarr_format", Json()) != 2) return refuse("is not of Zarr format 2");
  if (json.value("order", Json()) != "C") return refuse("its order is not C");
  array.shape_ = SizesOf(json, "shape");
  array.chunks_ = SizesOf(json, "chunks");
  if (array.shape_.empty() || array.shape_.size() != array.chunks_.size()) {
    return absl::DataLossError(absl::StrCat(file, ": shape and chunks are not lists of as many sizes from 1 on"));
  }
  const Json compressor = json.value("compressor", Json());
  if (!compressor.is_null()) {
    const Json id = compressor.is_object() ? compressor.value("id", Json()) : Json();
    const auto codec = ParseZarrCodec(id.is_string() ? id.get<std::string>() : "");
    if (!codec.has_value()) return refuse("its compressor is none of zlib, gzip, blosc and zstd");
    if (codec == ZarrCodec::kBlosc && compressor.value("cname", Json()) == "blosclz") {
      return refuse("its compressor is blosclz, which is not read; blosc with zstd, lz4 or zlib is");
    }
    array.codec_ = *codec;
  }
  const Json separator = json.value("dimension_separator", Json("."));
  if (separator != "." && separator != "/") return refuse("its dimension_separator is neither . nor /");
  array.separator_ = separator.get<std::string>();
  const Json type_json = json.value("dtype", Json());
  const std::string type = type_json.is_string() ? type_json.get<std::string>() : "";
  const Json filters = json.value("filters", Json());
  if (type == "|O") {
    if (!filters.is_array() || filters.size() != 1 || !filters[0].is_object() ||
        filters[0].value("id", Json()) != "vlen-utf8") {
      return refuse("its objects are not texts of vlen-utf8");
    }
  } else {
    const bool known = type.size() == 3 && (type[0] == '<' || (type[0] == '|' && type[2] == '1')) &&
                       (type[1] == 'i' || type[1] == 'u' || type[1] == 'b') &&
                       (type[2] == '1' || type[2] == '2' || type[2] == '4' || type[2] == '8');
    if (!known || (filters.is_array() && !filters.empty())) return refuse("its dtype or filters are not read");
    array.item_bytes_ = static_cast<size_t>(type[2] - '0');
    array.is_signed_ = type[1] == 'i';
  }
  for (const size_t size : array.chunks_) {
    if (size > kMostBytes / array.chunk_values_) return refuse("a chunk has more than 1 GiB");
    array.chunk_values_ *= size;
  }
  if (array.chunk_values_ > kMostBytes / std::max<size_t>(1, array.item_bytes_))
    return refuse("a chunk has more than 1 GiB");
  const Json fill = json.value("fill_value", Json());
  if (fill.is_number_integer()) array.fill_ = fill.get<int64_t>();
  if (fill.is_boolean()) array.fill_ = fill.get<bool>() ? 1 : 0;
  return array;
}

absl::StatusOr<std::string> ZarrArrayFile::ReadBytes(const std::vector<size_t>& place, size_t limit,
                                                     bool* there) const {
  const std::string file = JoinPath(path_, absl::StrJoin(place, separator_));
  absl::StatusOr<std::string> bytes = FileSystem::Posix().ReadFile(file, kMostBytes);
  *there = !absl::IsNotFound(bytes.status());
  if (!*there) return std::string();
  GENOSERVE_RETURN_IF_ERROR(bytes.status());
  if (codec_ == ZarrCodec::kNone) return bytes;
  std::string plain;
  if (!UnpackChunk(codec_, *bytes, limit, &plain)) {
    return absl::DataLossError(absl::StrCat(file, ": cannot be unpacked, or has more than its array says"));
  }
  return plain;
}

template <typename Number>
absl::StatusOr<std::vector<Number>> ZarrArrayFile::ReadNumbers(const std::vector<size_t>& place) const {
  if (item_bytes_ == 0) return Broken("has texts, expected numbers");
  GENOSERVE_RETURN_IF_ERROR(CheckChunk(sizeof(Number)));
  bool there = false;
  GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, ReadBytes(place, chunk_values_ * item_bytes_, &there));
  const auto nearest = [](int64_t number) {
    return static_cast<Number>(
        std::clamp<int64_t>(number, std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max()));
  };
  if (!there && !fill_.has_value()) {
    return Broken(
        absl::StrCat("chunk ", absl::StrJoin(place, separator_), " is missing, and the array has no fill value"));
  }
  std::vector<Number> numbers(chunk_values_, nearest(fill_.value_or(0)));
  if (!there) return numbers;
  if (bytes.size() != chunk_values_ * item_bytes_) {
    return Broken(absl::StrCat("chunk ", absl::StrJoin(place, separator_), " has ", bytes.size(), " bytes, expected ",
                               chunk_values_ * item_bytes_));
  }
  const unsigned shift = static_cast<unsigned>(64 - 8 * item_bytes_);
  for (size_t i = 0; i < chunk_values_; ++i) {
    uint64_t number = 0;
    for (size_t b = 0; b < item_bytes_; ++b) {
      number |= uint64_t{static_cast<uint8_t>(bytes[i * item_bytes_ + b])} << (8 * b);
    }
    numbers[i] = nearest(is_signed_ ? static_cast<int64_t>(number << shift) >> shift : static_cast<int64_t>(number));
  }
  return numbers;
}

template absl::StatusOr<std::vector<int8_t>> ZarrArrayFile::ReadNumbers(const std::vector<size_t>& place) const;
template absl::StatusOr<std::vector<int64_t>> ZarrArrayFile::ReadNumbers(const std::vector<size_t>& place) const;

absl::StatusOr<std::vector<std::string>> ZarrArrayFile::ReadTexts(const std::vector<size_t>& place) const {
  if (item_bytes_ != 0) return Broken("has numbers, expected texts");
  GENOSERVE_RETURN_IF_ERROR(CheckChunk(sizeof(std::string)));
  bool there = false;
  GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, ReadBytes(place, kMostBytes, &there));
  const auto cut = [&] { return Broken(absl::StrCat("chunk ", absl::StrJoin(place, separator_), " is cut short")); };
  size_t at = 0;
  const auto number = [&bytes, &at](size_t* value) {
    if (bytes.size() - at < 4) return false;
    *value = 0;
    for (size_t b = 0; b < 4; ++b) *value |= size_t{static_cast<uint8_t>(bytes[at + b])} << (8 * b);
    at += 4;
    return true;
  };
  size_t count = 0;
  // Every text takes 4 bytes at least, so that no more are made room for than there are bytes.
  if (!there) return Broken(absl::StrCat("chunk ", absl::StrJoin(place, separator_), " is missing"));
  if (!number(&count) || count != chunk_values_ || count > bytes.size() / 4) return cut();
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    size_t size = 0;
    if (!number(&size) || size > bytes.size() - at) return cut();
    text = bytes.substr(at, size);
    at += size;
  }
  return texts;
}

absl::Status ZarrArrayFile::CheckChunk(size_t value_bytes) const {
  if (chunk_values_ <= kMostBytes / value_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path_, ": a chunk has ", chunk_values_, " values, at most ", kMostBytes / value_bytes, " are read"));
}

absl::Status ZarrArrayFile::CheckIsList(size_t most) const {
  if (shape_.size() != 1) return Broken("has several dimensions, expected one");
  if (shape_[0] > most) return Broken(absl::StrCat("has ", shape_[0], " values, at most ", most, " are read"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ZarrArrayFile::ReadAllNumbers() const {
  GENOSERVE_RETURN_IF_ERROR(CheckIsList(kMostNumbers));
  std::vector<int64_t> all;
  for (size_t first = 0; first < shape_[0]; first += chunks_[0]) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> some, ReadNumbers<int64_t>({first / chunks_[0]}));
    const size_t count = std::min(chunks_[0], shape_[0] - first);
    all.insert(all.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
  }
  return all;
}

absl::StatusOr<std::vector<std::string>> ZarrArrayFile::ReadAllTexts() const {
  GENOSERVE_RETURN_IF_ERROR(CheckIsList(kMostTexts));
  size_t bytes = 0;
  std::vector<std::string> all;
  for (size_t first = 0; first < shape_[0]; first += chunks_[0]) {
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<std::string> some, ReadTexts({first / chunks_[0]}));
    some.resize(std::min(chunks_[0], shape_[0] - first));
    for (std::string& text : some) {
      bytes += text.size();
      all.push_back(std::move(text));
    }
    if (bytes > kMostBytes) return Broken("has texts of more than 1 GiB");
  }
  return all;
}

}  // namespace genoserve
