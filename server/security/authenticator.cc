#include "server/security/authenticator.h"

#include <grpcpp/security/auth_context.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

constexpr absl::string_view kBearer = "bearer ";

class ReflectionGuard final : public grpc::experimental::Interceptor {
 public:
  ReflectionGuard(const Authenticator& authenticator, grpc::experimental::ServerRpcInfo* info)
      : authenticator_(authenticator), info_(info) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA) &&
        !authenticator_.Authenticate(*info_->server_context()).ok()) {
      info_->server_context()->TryCancel();
    }
    methods->Proceed();
  }

 private:
  const Authenticator& authenticator_;
  grpc::experimental::ServerRpcInfo* const info_;
};

class ReflectionGuardFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit ReflectionGuardFactory(const Authenticator& authenticator) : authenticator_(authenticator) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(grpc::experimental::ServerRpcInfo* info) override {
    if (!absl::StartsWith(info->method(), "/grpc.reflection.")) return nullptr;
    return new ReflectionGuard(authenticator_, info);
  }

 private:
  const Authenticator& authenticator_;
};

}  // namespace

std::shared_ptr<const Authenticator::Rules> Authenticator::rules() const {
  absl::ReaderMutexLock lock(&mutex_);
  return rules_;
}

void Authenticator::Replace(Rules rules) {
  auto replaced = std::make_shared<const Rules>(std::move(rules));
  absl::MutexLock lock(&mutex_);
  rules_ = std::move(replaced);
}

absl::Status Authenticator::CheckAdmin(const std::string& principal) const {
  const std::shared_ptr<const Rules> now = rules();
  if (now->all_are_admins || now->admins.contains(principal)) return absl::OkStatus();
  const std::string who = principal.empty() ? "a caller without a name" : absl::StrCat("\"", principal, "\"");
  return absl::PermissionDeniedError(
      absl::StrCat(who,
                   " may not change what this server does; its configuration names those who may, as in "
                   "principals { name: \"operator\" admin: true }"));
}

absl::StatusOr<std::string> Authenticator::Authenticate(const grpc::ServerContextBase& context) const {
  const std::shared_ptr<const Rules> now = rules();
  if (now->tokens.has_value()) {
    const auto& metadata = context.client_metadata();
    const auto header = metadata.find("authorization");
    if (header == metadata.end()) {
      return absl::UnauthenticatedError("this server asks for a token: send \"authorization: Bearer TOKEN\"");
    }
    const absl::string_view value(header->second.data(), header->second.size());
    std::optional<std::string> name;
    if (absl::StartsWithIgnoreCase(value, kBearer)) name = now->tokens->Find(value.substr(kBearer.size()));
    if (!name.has_value()) return absl::UnauthenticatedError("the token is not known to this server");
    return *name;
  }
  const auto peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return std::string();
  const auto names = peer->FindPropertyValues("x509_common_name");
  return names.empty() ? std::string() : std::string(names.front().data(), names.front().size());
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeReflectionGuard(
    const Authenticator& authenticator) {
  return std::make_unique<ReflectionGuardFactory>(authenticator);
}

}  // namespace genoserve
