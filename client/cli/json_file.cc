#include "client/cli/json_file.h"

#include <google/protobuf/util/json_util.h>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

namespace util = google::protobuf::util;

constexpr uint64_t kLargestFile = uint64_t{256} << 20;

std::string Words(const util::Status& status) {
  const auto message = status.message();
  return std::string(message.data(), message.size());
}

}  // namespace

absl::Status WriteJsonFile(const google::protobuf::Message& message, const std::string& path) {
  util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (const util::Status status = util::MessageToJsonString(message, &json, options); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be written as JSON: ", Words(status)));
  }
  return WriteFileAtomically(FileSystem::Posix(), path, json);
}

absl::Status ReadJsonFile(const std::string& path, google::protobuf::Message* message) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string json, FileSystem::Posix().ReadFile(path, kLargestFile));
  util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (const util::Status status = util::JsonStringToMessage(json, message, options); !status.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": cannot be read: ", Words(status)));
  }
  return absl::OkStatus();
}

}  // namespace genoserve
