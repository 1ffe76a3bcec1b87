#include "client/lib/client.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/lib/rpc_call.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// A unary call with retries.
template <typename Response, typename Attempt>
absl::StatusOr<Response> Call(ClientState* state, const Attempt& attempt) {
  Response response;
  GENOSERVE_RETURN_IF_ERROR(
      CallWithRetries(state, [&](grpc::ClientContext* context) { return attempt(context, &response); }));
  return response;
}

}  // namespace

uint64_t DrawSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  auto state = std::make_shared<ClientState>();
  state->options = options;
  GENOSERVE_ASSIGN_OR_RETURN(state->channel, OpenChannel(options));
  state->stub = v1::CohortService::NewStub(state->channel.channel);
  state->operations = v1::OperationsService::NewStub(state->channel.channel);
  state->admin = v1::AdminService::NewStub(state->channel.channel);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels() {
  return Call<v1::ListModelsResponse>(state_.get(), [this](grpc::ClientContext* context, auto* response) {
    return state_->stub->ListModels(context, v1::ListModelsRequest(), response);
  });
}

absl::StatusOr<v1::Model> Client::GetModel(const std::string& model, const std::string& version,
                                           const std::string& request_id) {
  v1::GetModelRequest request;
  request.set_model(model);
  request.set_version(version);
  request.set_request_id(request_id);
  return Call<v1::Model>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->stub->GetModel(context, request, response);
  });
}

absl::StatusOr<v1::ServerStatus> Client::GetStatus(const std::string& model) {
  v1::GetStatusRequest request;
  request.set_model(model);
  return Call<v1::ServerStatus>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->operations->GetStatus(context, request, response);
  });
}

absl::StatusOr<v1::ReloadConfigResponse> Client::ReloadConfig() {
  return Call<v1::ReloadConfigResponse>(state_.get(), [this](grpc::ClientContext* context, auto* response) {
    return state_->admin->ReloadConfig(context, v1::ReloadConfigRequest(), response);
  });
}

absl::StatusOr<v1::VersionStatus> Client::RetryVersion(const v1::RetryVersionRequest& request) {
  return Call<v1::VersionStatus>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->admin->RetryVersion(context, request, response);
  });
}

absl::StatusOr<v1::VersionStatus> Client::PinVersion(const v1::PinVersionRequest& request) {
  return Call<v1::VersionStatus>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->admin->PinVersion(context, request, response);
  });
}

absl::StatusOr<v1::UnloadModelResponse> Client::UnloadModel(const v1::UnloadModelRequest& request) {
  return Call<v1::UnloadModelResponse>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->admin->UnloadModel(context, request, response);
  });
}

absl::StatusOr<v1::SetLabelResponse> Client::SetLabel(const v1::SetLabelRequest& request) {
  return Call<v1::SetLabelResponse>(state_.get(), [&](grpc::ClientContext* context, auto* response) {
    return state_->admin->SetLabel(context, request, response);
  });
}

absl::StatusOr<VariantTable> Client::ListVariants(const v1::ListVariantsRequest& request) {
  std::vector<VariantRecord> variants;
  std::vector<ContigRecord> contigs;
  GENOSERVE_RETURN_IF_ERROR(CallWithRetries(state_.get(), [&](grpc::ClientContext* context) {
    variants.clear();
    contigs.clear();
    const auto reader = state_->stub->ListVariants(context, request);
    v1::ListVariantsResponse message;
    while (reader->Read(&message)) {
      for (const v1::Contig& contig : message.contigs()) contigs.push_back({contig.name(), contig.length()});
      for (v1::Variant& variant : *message.mutable_variants()) {
        variants.push_back({std::move(*variant.mutable_contig()), variant.position(), std::move(*variant.mutable_id()),
                            std::move(*variant.mutable_ref()), std::move(*variant.mutable_alt())});
      }
    }
    return reader->Finish();
  }));
  auto table = VariantTable::Create(std::move(variants), std::move(contigs));
  if (!table.ok())
    return absl::DataLossError(absl::StrCat("variants of ", request.model(), ": ", table.status().message()));
  return table;
}

absl::StatusOr<std::unique_ptr<CohortReader>> Client::StreamCohort(v1::StreamCohortRequest request) {
  if (!request.has_seed()) request.set_seed(DrawSeed());
  auto stream = std::make_unique<CohortReader>(state_, std::move(request));
  GENOSERVE_RETURN_IF_ERROR(stream->Open());
  return stream;
}

}  // namespace genoserve
