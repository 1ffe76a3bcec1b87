#include "server/service/admin_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/service/version_messages.h"

namespace genoserve {
namespace {

// One call, from its beginning to its answer, on whichever thread that comes.
class AdminCall {
 public:
  AdminCall(const ServiceParts& parts, const char* method, grpc::CallbackServerContext& context)
      : scope_(parts, method, context), reactor_(context.DefaultReactor()) {
    allowed_ = scope_.Authenticate(context);
    if (allowed_.ok()) allowed_ = parts.authenticator.CheckAdmin(scope_.record().principal);
  }

  const absl::Status& allowed() const { return allowed_; }
  grpc::ServerUnaryReactor* reactor() const { return reactor_; }
  void SetModel(const std::string& model, const std::string& version) {
    scope_.record().model = model;
    scope_.record().version = version;
  }

  /// Answers; once, last.
  void Finish(const absl::Status& status) {
    scope_.End(status);
    reactor_->Finish(ToGrpcStatus(status));
  }

 private:
  RequestScope scope_;
  grpc::ServerUnaryReactor* const reactor_;
  absl::Status allowed_;
};

absl::StatusOr<int64_t> ParseVersion(const std::string& text) {
  int64_t version = 0;
  if (absl::SimpleAtoi(text, &version) && version >= 1) return version;
  return FieldError("version", absl::StrCat("\"", text, "\" is no version; decimal numbers from 1 are"));
}

absl::Status Tell(const ModelManager& manager, const std::string& model, int64_t version, v1::VersionStatus* message) {
  for (const VersionStatus& status : manager.List()) {
    if (status.model != model || status.version != version) continue;
    *message = ToVersionStatus(status);
    return absl::OkStatus();
  }
  // Nothing is known of it but that it is in the store.
  message->set_model(model);
  message->set_version(absl::StrCat(version));
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* AdminService::ReloadConfig(grpc::CallbackServerContext* context,
                                                     const v1::ReloadConfigRequest*,
                                                     v1::ReloadConfigResponse* response) {
  const auto call = std::make_shared<AdminCall>(parts_, "ReloadConfig", *context);
  grpc::ServerUnaryReactor* const reactor = call->reactor();
  if (!call->allowed().ok()) {
    call->Finish(call->allowed());
    return reactor;
  }
  doors_.reload_config([call, response](const absl::StatusOr<std::vector<std::string>>& changes) {
    if (changes.ok()) response->mutable_changes()->Assign(changes->begin(), changes->end());
    call->Finish(changes.status());
  });
  return reactor;
}

grpc::ServerUnaryReactor* AdminService::RetryVersion(grpc::CallbackServerContext* context,
                                                     const v1::RetryVersionRequest* request,
                                                     v1::VersionStatus* response) {
  AdminCall call(parts_, "RetryVersion", *context);
  call.Finish([&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(call.allowed());
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t version, ParseVersion(request->version()));
    GENOSERVE_RETURN_IF_ERROR(doors_.manager.Retry(request->model(), version));
    call.SetModel(request->model(), request->version());
    return Tell(doors_.manager, request->model(), version, response);
  }());
  return call.reactor();
}

grpc::ServerUnaryReactor* AdminService::PinVersion(grpc::CallbackServerContext* context,
                                                   const v1::PinVersionRequest* request, v1::VersionStatus* response) {
  AdminCall call(parts_, "PinVersion", *context);
  call.Finish([&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(call.allowed());
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t version, ParseVersion(request->version()));
    GENOSERVE_RETURN_IF_ERROR(doors_.manager.Pin(request->model(), version, !request->unpin()));
    call.SetModel(request->model(), request->version());
    return Tell(doors_.manager, request->model(), version, response);
  }());
  return call.reactor();
}

grpc::ServerUnaryReactor* AdminService::UnloadModel(grpc::CallbackServerContext* context,
                                                    const v1::UnloadModelRequest* request,
                                                    v1::UnloadModelResponse* response) {
  AdminCall call(parts_, "UnloadModel", *context);
  call.Finish([&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(call.allowed());
    int64_t version = 0;
    if (!request->version().empty()) {
      GENOSERVE_ASSIGN_OR_RETURN(version, ParseVersion(request->version()));
    }
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> unloaded, doors_.manager.Unload(request->model(), version));
    call.SetModel(request->model(), request->version());
    for (const int64_t each : unloaded) {
      // One that has gone meanwhile has been given back too.
      Tell(doors_.manager, request->model(), each, response->add_versions()).IgnoreError();
    }
    return absl::OkStatus();
  }());
  return call.reactor();
}

grpc::ServerUnaryReactor* AdminService::SetLabel(grpc::CallbackServerContext* context,
                                                 const v1::SetLabelRequest* request, v1::SetLabelResponse* response) {
  const auto call = std::make_shared<AdminCall>(parts_, "SetLabel", *context);
  grpc::ServerUnaryReactor* const reactor = call->reactor();
  const auto version = request->version().empty() ? absl::StatusOr<int64_t>(0) : ParseVersion(request->version());
  absl::Status known = call->allowed();
  if (known.ok()) known = version.status();
  if (known.ok() && !ValidateModelName(request->model()).ok()) {
    known = FieldError("model", ValidateModelName(request->model()).message());
  }
  if (known.ok() && !ValidateLabelName(request->label()).ok()) {
    known = FieldError("label", ValidateLabelName(request->label()).message());
  }
  if (!known.ok()) {
    call->Finish(known);
    return reactor;
  }
  const auto set = [this, model = request->model(), label = request->label(), to = *version]() -> absl::Status {
    if (to == 0) return doors_.store.RemoveLabel(model, label);
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, doors_.store.ListVersions(model));
    if (std::find(versions.begin(), versions.end(), to) == versions.end()) {
      std::vector<std::string> names;
      names.reserve(versions.size());
      for (const int64_t each : versions) names.push_back(absl::StrCat(each));
      return UnmetPrecondition("version", absl::StrCat("the store has no version ", to, " of model \"", model,
                                                       "\"; it has ", names.empty() ? "none" : ListNames(names)));
    }
    return doors_.store.SetLabel(model, label, to);
  };
  doors_.manager.ChangeStore(set, [this, call, model = request->model(), response](const absl::Status& status) {
    call->SetModel(model, "");
    if (status.ok()) {
      for (const VersionStatus& each : doors_.manager.List()) {
        if (each.model == model) *response->add_versions() = ToVersionStatus(each);
      }
    }
    call->Finish(status);
  });
  return reactor;
}

}  // namespace genoserve
