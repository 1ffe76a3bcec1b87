// A version that is being published to a bucket.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/store/checkpoint_store.h"
#include "core/store/s3_client.h"

namespace genoserve {

/// The object of a version that is written first and removed last: whoever wrote it has the number.
inline constexpr absl::string_view kClaimFile = ".claim";

/// Of a version that was claimed. `folder` is the prefix of its keys, with '/'; `owner` marks its objects. `client`
/// must outlive it.
std::unique_ptr<Publication> MakeS3Publication(S3Client& client, const std::string& folder, int64_t version,
                                               const std::string& owner);

/// Removes all objects below a prefix, the claim last.
absl::Status RemoveS3Folder(S3Client& client, const std::string& folder);

}  // namespace genoserve
