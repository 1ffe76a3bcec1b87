#include "core/artifact/manifest_json.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"

namespace genoserve {
namespace {

namespace util = google::protobuf::util;

absl::Status FromJson(absl::string_view json, bool ignore_unknown_fields, v1::Manifest& manifest) {
  util::JsonParseOptions options;
  options.ignore_unknown_fields = ignore_unknown_fields;
  const util::Status status = util::JsonStringToMessage({json.data(), json.size()}, &manifest, options);
  if (status.ok()) return absl::OkStatus();
  const auto message = status.message();
  return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
}

}  // namespace

absl::StatusOr<std::string> SerializeManifest(const v1::Manifest& manifest) {
  util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  const util::Status status = util::MessageToJsonString(manifest, &json, options);
  if (status.ok()) return json;
  const auto message = status.message();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot be written as JSON: ", absl::string_view(message.data(), message.size())));
}

absl::StatusOr<v1::Manifest> ParseManifest(absl::string_view json) {
  v1::Manifest manifest;
  const absl::Status status = FromJson(json, false, manifest);
  if (!status.ok()) {
    // A newer format may hold fields that are unknown here; what matters to the reader is that it is newer.
    manifest.Clear();
    if (!FromJson(json, true, manifest).ok()) return status;
  }
  if (manifest.format_version() > kManifestFormatVersion) {
    return absl::InvalidArgumentError(absl::StrCat("format_version ", manifest.format_version(),
                                                   ": this build reads up to ", kManifestFormatVersion));
  }
  if (!status.ok()) return status;
  return manifest;
}

}  // namespace genoserve
