#include "client/lib/client.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/lib/rpc_call.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

uint64_t DrawSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  auto state = std::make_shared<ClientState>();
  state->options = options;
  GENOSERVE_ASSIGN_OR_RETURN(state->channel, OpenChannel(options));
  state->stub = v1::CohortService::NewStub(state->channel.channel);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels() {
  v1::ListModelsResponse response;
  GENOSERVE_RETURN_IF_ERROR(CallWithRetries(state_.get(), [&](grpc::ClientContext* context) {
    return state_->stub->ListModels(context, v1::ListModelsRequest(), &response);
  }));
  return response;
}

absl::StatusOr<v1::Model> Client::GetModel(const std::string& model, const std::string& version) {
  v1::GetModelRequest request;
  request.set_model(model);
  request.set_version(version);
  v1::Model response;
  GENOSERVE_RETURN_IF_ERROR(CallWithRetries(
      state_.get(), [&](grpc::ClientContext* context) { return state_->stub->GetModel(context, request, &response); }));
  return response;
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
