// Who is calling, and who may do more than ask for cohorts.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_interceptor.h>

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/security/tokens.h"

namespace genoserve {

/// Decides by bearer tokens where there are any, else by the client's certificate, which the TLS handshake has checked.
/// Thread-safe.
class Authenticator {
 public:
  struct Rules {
    std::optional<TokenTable> tokens = std::nullopt;  ///< without them, all who get through the handshake are let in
    std::set<std::string> admins = {};                ///< names of callers who may change what the server does
    bool all_are_admins = false;                      ///< also those without a name
  };
  explicit Authenticator(Rules rules) : rules_(std::make_shared<const Rules>(std::move(rules))) {}

  /// For calls from now on.
  void Replace(Rules rules);

  /// The name of the caller: of its token, else of its certificate, else empty. UNAUTHENTICATED where tokens are asked
  /// for and "authorization: Bearer TOKEN" is not there or not known.
  absl::StatusOr<std::string> Authenticate(const grpc::ServerContextBase& context) const;

  /// PERMISSION_DENIED unless the caller that Authenticate named is an admin.
  absl::Status CheckAdmin(const std::string& principal) const;

 private:
  std::shared_ptr<const Rules> rules() const;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Rules> rules_ ABSL_GUARDED_BY(mutex_);
};

/// Cancels calls of services that are not our own, such as reflection, where the caller is not let in. Health checks
/// need no token; our own service answers UNAUTHENTICATED itself.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeReflectionGuard(
    const Authenticator& authenticator);

}  // namespace genoserve
