#include "server/service/cohort_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/service/cohort_stream.h"
#include "server/service/variant_stream.h"

namespace genoserve {
namespace {

constexpr absl::Duration kChangedRetry = absl::Milliseconds(100);

v1::Model ToModel(const VersionStatus& status) {
  v1::Model model;
  model.set_name(status.model);
  model.set_version(absl::StrCat(status.version));
  model.set_is_default(status.is_default);
  model.set_state(status.state);
  model.set_reason(status.reason);
  model.set_artifact_digest(status.digest);
  if (status.handle != nullptr) {
    *model.mutable_manifest() = status.handle->manifest;
    *model.mutable_engine() = status.handle->engine;
  }
  return model;
}

}  // namespace

grpc::ServerUnaryReactor* CohortService::ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest*,
                                                    v1::ListModelsResponse* response) {
  RequestScope scope(parts_, "ListModels", *context);
  const absl::Status status = scope.Authenticate(*context);
  if (status.ok()) {
    for (const VersionStatus& version : parts_.manager.List()) *response->add_models() = ToModel(version);
  }
  scope.End(status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerUnaryReactor* CohortService::GetModel(grpc::CallbackServerContext* context,
                                                  const v1::GetModelRequest* request, v1::Model* response) {
  RequestScope scope(parts_, "GetModel", *context);
  const auto get = [&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(scope.Authenticate(*context));
    // A version that loads or failed is told too, where it is asked for by number.
    for (const VersionStatus& status : parts_.manager.List()) {
      const bool wanted =
          request->version().empty() ? status.is_default : absl::StrCat(status.version) == request->version();
      if (status.model != request->model() || !wanted) continue;
      *response = ToModel(status);
      scope.record().model = status.model;
      scope.record().version = response->version();
      if (status.handle != nullptr) scope.SetVersion(status.handle);
      return absl::OkStatus();
    }
    GENOSERVE_ASSIGN_OR_RETURN(
        const ModelManager::Choice choice,
        parts_.manager.Find(request->model(), request->version(), "", request->request_id()));
    return RetryLater(absl::StatusCode::kUnavailable,
                      absl::StrCat("model \"", choice.handle->model, "\" has just changed; ask again"), kChangedRetry);
  };
  const absl::Status status = get();
  scope.End(status);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

grpc::ServerWriteReactor<v1::ListVariantsResponse>* CohortService::ListVariants(
    grpc::CallbackServerContext* context, const v1::ListVariantsRequest* request) {
  return VariantStream::Start(parts_, *context, *request);
}

grpc::ServerWriteReactor<v1::StreamCohortResponse>* CohortService::StreamCohort(
    grpc::CallbackServerContext* context, const v1::StreamCohortRequest* request) {
  return CohortStream::Start(parts_, *context, *request);
}

}  // namespace genoserve
