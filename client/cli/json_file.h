// Messages that lie in files as JSON.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"

namespace genoserve {

/// Writes the JSON form of a message, fields under their names in the proto, so that the file is the old one or the new
/// one whatever happens. Equal messages give equal bytes. INVALID_ARGUMENT where a text is not UTF-8; errors of files.
absl::Status WriteJsonFile(const google::protobuf::Message& message, const std::string& path);

/// Reads such a file of at most 256 MiB. Fields that the message has not are dropped: the message's own version tells
/// whether they matter. DATA_LOSS, with the path, where it is no JSON of the message; errors of files.
absl::Status ReadJsonFile(const std::string& path, google::protobuf::Message* message);

}  // namespace genoserve
