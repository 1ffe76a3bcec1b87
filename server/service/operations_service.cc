#include "server/service/operations_service.h"

#include <memory>

#include "absl/strings/str_cat.h"

namespace genoserve {

grpc::ServerUnaryReactor* OperationsService::PollStore(grpc::CallbackServerContext* context,
                                                       const v1::PollStoreRequest*, v1::PollStoreResponse* response) {
  const auto scope = std::make_shared<RequestScope>(parts_, "PollStore", *context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto finish = [this, scope, reactor, response](const absl::Status& looked) {
    if (looked.ok()) {
      for (const VersionStatus& status : parts_.manager.List()) {
        v1::Model& model = *response->add_models();
        model.set_name(status.model);
        model.set_version(absl::StrCat(status.version));
        model.set_is_default(status.is_default);
        model.set_state(status.state);
        model.set_reason(status.reason);
        model.set_artifact_digest(status.digest);
      }
    }
    scope->End(looked);
    reactor->Finish(ToGrpcStatus(looked));
  };
  const absl::Status known = scope->Authenticate(*context);
  if (known.ok()) {
    parts_.manager.LookNow(finish);
  } else {
    finish(known);
  }
  return reactor;
}

}  // namespace genoserve
