// The checkpoint store in a bucket: s3://<bucket>/<prefix>/<model>/<version>/<file>.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/store/aws_environment.h"
#include "core/store/checkpoint_store.h"
#include "core/store/s3_client.h"

namespace genoserve {

/// Opens the store of an s3:// URL; see ParseS3Url for the URL, FindCredentials for who asks, and OpenStore for
/// `create` and errors. Without `create` no request is made. With it, FAILED_PRECONDITION where the server does not
/// honour If-None-Match: publishers at once would overwrite each other there.
///
/// A version number is claimed by writing the object ".claim" of the version, on condition that there is none. Files
/// are written on the same condition, the manifest last, after a look that all of them are still there. Each object
/// carries the mark of its publication, so that a publisher whose answers are lost knows what it wrote. What a dead one
/// leaves has no manifest, which no reader sees, and its number is not used again while it lies there.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenS3Store(const std::string& url, bool create,
                                                             const Environment& environment = ProcessEnvironment(),
                                                             const S3Limits& limits = S3Limits());

}  // namespace genoserve
