// Who is calling.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/security/tokens.h"

namespace genoserve {

/// Decides by bearer tokens where there are any, else by the client's certificate, which the TLS handshake has checked.
/// Thread-safe.
class Authenticator {
 public:
  /// Without `tokens` every caller that gets through the handshake is let in.
  explicit Authenticator(std::optional<TokenTable> tokens) : tokens_(std::move(tokens)) {}

  /// The name of the caller: of its token, else of its certificate, else empty. UNAUTHENTICATED where tokens are asked
  /// for and "authorization: Bearer TOKEN" is not there or not known.
  absl::StatusOr<std::string> Authenticate(const grpc::ServerContextBase& context) const;

 private:
  const std::optional<TokenTable> tokens_;
};

/// Cancels calls of services that are not our own, such as reflection, where the caller is not let in. Health checks
/// need no token; our own service answers UNAUTHENTICATED itself.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeReflectionGuard(
    const Authenticator& authenticator);

}  // namespace genoserve
