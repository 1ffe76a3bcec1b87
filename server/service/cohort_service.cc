#include "server/service/cohort_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/service/cohort_stream.h"
#include "server/service/variant_stream.h"
#include "server/service/version_messages.h"

namespace genoserve {
namespace {

constexpr absl::Duration kChangedRetry = absl::Milliseconds(100);

}  // namespace

grpc::ServerUnaryReactor* CohortService::ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest*,
                                                    v1::ListModelsResponse* response) {
  RequestScope scope(parts_, "ListModels", *context);
  const absl::Status status = scope.Authenticate(*context);
  if (status.ok()) {
    for (const VersionStatus& version : parts_.manager.List())
      *response->add_models() = ToModel(version, /*whole=*/true);
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
    const absl::StatusOr<ModelManager::Choice> found =
        parts_.manager.Find(request->model(), request->version(), "", request->request_id());
    for (const VersionStatus& status : parts_.manager.List()) {
      if (status.model != request->model()) continue;
      // One that failed is told too, where it is asked for by number.
      const bool failed = status.state == v1::MODEL_STATE_FAILED && absl::StrCat(status.version) == request->version();
      if (found.ok() ? status.handle != found->handle : !failed) continue;
      *response = ToModel(status, /*whole=*/true);
      scope.record().model = status.model;
      scope.record().version = response->version();
      if (found.ok()) scope.SetVersion(found->handle);
      return absl::OkStatus();
    }
    GENOSERVE_RETURN_IF_ERROR(found.status());
    return RetryLater(absl::StatusCode::kUnavailable,
                      absl::StrCat("model \"", request->model(), "\" has just changed; ask again"), kChangedRetry);
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
