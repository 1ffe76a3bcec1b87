// The channel to a server: its address, TLS, and the token.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/lib/client_options.h"

namespace genoserve {

/// A channel and what every call on it carries.
struct ServerChannel {
  std::shared_ptr<grpc::Channel> channel;
  std::string server;         ///< "host:port"
  std::string authorization;  ///< value of the header of that name; empty = none. Never logged.
};

/// Opens a channel to each server; nothing is sent before the first call. INVALID_ARGUMENT, with the option or the
/// file, where the options do not fit together or a file does not hold what it should; a token is never in a message.
/// Errors of files keep their codes.
absl::StatusOr<std::vector<ServerChannel>> OpenChannels(const ClientOptions& options);

/// Whether the host of "host:port" is localhost, 127.0.0.0/8 or ::1.
bool IsLoopback(absl::string_view server);

}  // namespace genoserve
