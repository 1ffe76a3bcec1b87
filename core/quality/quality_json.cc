#include "core/quality/quality_json.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"

namespace genoserve {

absl::StatusOr<std::string> SerializeQuality(const v1::Quality& quality) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(quality, &json, options);
  if (status.ok()) return json + "\n";
  const auto message = status.message();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot be written as JSON: ", absl::string_view(message.data(), message.size())));
}

}  // namespace genoserve
