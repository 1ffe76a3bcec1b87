// Server credentials from PEM files.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "genoserve/v1/config.pb.h"

namespace genoserve {

/// TLS from the files of the configuration, plain text where it has none. Files are read again when they change, so
/// that certificates can be renewed under a running server. INVALID_ARGUMENT with the file where one is no PEM file of
/// its kind, or key and certificate do not belong together; errors of reading keep their codes.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const v1::ServerConfig& config);

}  // namespace genoserve
