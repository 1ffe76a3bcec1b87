// What a call ended with, as an absl::Status with the google.rpc details unpacked.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace genoserve {

/// The same code and message. What BadRequest, PreconditionFailure, QuotaFailure and ResourceInfo tell beyond the
/// message is added to it, and each detail becomes a payload under its type URL.
absl::Status FromGrpcStatus(const grpc::Status& status);

/// How long the server asks to wait before a retry (google.rpc.RetryInfo); nothing where it does not say.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace genoserve
