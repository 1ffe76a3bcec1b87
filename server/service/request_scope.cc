#include "server/service/request_scope.h"

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {

RequestScope::RequestScope(const ServiceParts& parts, absl::string_view method,
                           const grpc::CallbackServerContext& context)
    : parts_(parts), begin_(absl::Now()) {
  record_.method = std::string(method);
  record_.peer = context.peer();
}

absl::Status RequestScope::Authenticate(const grpc::CallbackServerContext& context) {
  GENOSERVE_ASSIGN_OR_RETURN(record_.principal, parts_.authenticator.Authenticate(context));
  return absl::OkStatus();
}

void RequestScope::SetVersion(const ServingVersion& version) {
  record_.model = version.model;
  record_.version = absl::StrCat(version.version);
  record_.digest = version.digest;
}

void RequestScope::End(const absl::Status& status) {
  record_.status = status;
  record_.duration = elapsed();
  parts_.metrics.CountRequest(record_.method, record_.model, record_.version, absl::StatusCodeToString(status.code()));
  LogRequest(record_);
}

}  // namespace genoserve
