#include "server/service/operations_service.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "server/service/version_messages.h"

namespace genoserve {

grpc::ServerUnaryReactor* OperationsService::PollStore(grpc::CallbackServerContext* context,
                                                       const v1::PollStoreRequest*, v1::PollStoreResponse* response) {
  const auto scope = std::make_shared<RequestScope>(parts_, "PollStore", *context);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto finish = [this, scope, reactor, response](const absl::Status& looked) {
    if (looked.ok()) {
      for (const VersionStatus& status : parts_.manager.List()) {
        *response->add_models() = ToModel(status, /*whole=*/false);
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

grpc::ServerUnaryReactor* OperationsService::GetStatus(grpc::CallbackServerContext* context,
                                                       const v1::GetStatusRequest* request,
                                                       v1::ServerStatus* response) {
  RequestScope scope(parts_, "GetStatus", *context);
  absl::Status status = scope.Authenticate(*context);
  if (status.ok()) {
    for (const VersionStatus& version : parts_.manager.List()) {
      if (request->model().empty() || version.model == request->model()) {
        *response->add_versions() = ToVersionStatus(version);
      }
    }
    const ModelManager::StoreState store = parts_.manager.store_state();
    response->set_store_error(std::string(store.status.message()));
    response->set_last_look_at(TimeText(store.last_look));
    response->set_memory_bytes(parts_.manager.memory_bytes());
    fill_(*response);
    if (!request->model().empty() && response->versions().empty()) {
      // Says which models there are.
      status = parts_.manager.Find(request->model(), "", "", "").status();
      if (status.ok()) status = absl::UnavailableError("the model has just come; ask again");
    }
  }
  scope.End(status);
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace genoserve
