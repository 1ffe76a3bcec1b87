// Which bucket, on which server, an s3:// URL means.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/store/aws_environment.h"

namespace genoserve {

/// A bucket, and where in it the store is.
struct S3Location {
  std::string bucket;
  std::string prefix;    ///< of all keys: empty, or ends in '/'
  std::string endpoint;  ///< scheme://host[:port], without the bucket
  std::string region;
  bool path_style = false;  ///< the bucket is the first folder of the path, not the first part of the host's name
  std::string ca_file;      ///< of the authorities that are trusted; empty = the system's

  /// The address of an object, or of the bucket where `key` is empty; without a query.
  std::string Url(absl::string_view key) const;
  /// "s3://bucket/key", for messages.
  std::string Name(absl::string_view key) const;
};

/// Parses s3://bucket[/prefix][?endpoint=URL&region=NAME&path_style=true|false]. What the URL does not say comes from
/// AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION or the profile's region, and
/// AWS_CA_BUNDLE. Without an endpoint it is Amazon's. Where an endpoint is given, path style is the default, and the
/// region may be missing. INVALID_ARGUMENT, with what is allowed, for anything else.
absl::StatusOr<S3Location> ParseS3Url(const std::string& url, const Environment& environment);

}  // namespace genoserve
