// The server's configuration: defaults and validation. The message tells what each field means.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/config.pb.h"

namespace genoserve {

/// Every default that the message tells, with port 50051 and HTTP port 8080. The store is empty.
v1::ServerConfig DefaultConfig();

/// Reads protobuf text over a configuration: what it names is set, the rest stays. INVALID_ARGUMENT with line and
/// column where it cannot be read.
absl::Status ParseConfig(absl::string_view text, v1::ServerConfig& config);

/// The same from a file of at most 1 MiB. NOT_FOUND where there is none; errors name it.
absl::Status ReadConfigFile(const std::string& path, v1::ServerConfig& config);

/// Checks the whole configuration. INVALID_ARGUMENT names the flag and what is allowed; off loopback it must have TLS
/// and either tokens or a client CA, unless it is insecure.
absl::Status ValidateConfig(const v1::ServerConfig& config);

/// Samples that may be queued: the setting, or 4 x max_cohort_size where it is 0.
int64_t MaxQueuedSamples(const v1::ServerConfig& config);

}  // namespace genoserve
