// Files of any size to and from an S3 server, in parts at once.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/s3_client.h"

namespace genoserve {

/// All bytes of an object. Parts after the first are asked for at once, on a bounded number of connections, and only of
/// the object that the first was of: ABORTED where it was changed meanwhile. RESOURCE_EXHAUSTED where there are more
/// than `limit` bytes, of which no more than a part is then read. Memory is that of the object, and a part.
absl::StatusOr<std::string> Download(S3Client& client, const std::string& key, uint64_t limit);

/// Writes a new object, in parts at once where it is larger than one; ALREADY_EXISTS where there is one. `owner` is as
/// in S3Client::PutNew. Parts of an upload that fails are removed.
absl::Status UploadNew(S3Client& client, const std::string& key, absl::string_view bytes, const std::string& owner);

}  // namespace genoserve
