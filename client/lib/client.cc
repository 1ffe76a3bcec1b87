#include "client/lib/client.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/lib/client_state.h"
#include "client/lib/grpc_cohort_reader.h"
#include "client/lib/rpc_call.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// How long a replica may take to say what it runs.
constexpr absl::Duration kCheckTime = absl::Seconds(5);

// A unary call with retries.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(ClientState* state, std::unique_ptr<Stub> Replica::*stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                              const Request& request) {
  Response response;
  GENOSERVE_RETURN_IF_ERROR(CallWithRetries(state, [&](grpc::ClientContext* context, const Replica& replica) {
    return ((replica.*stub).get()->*method)(context, request, &response);
  }));
  return response;
}

// A call of an admin, which is for one server.
template <typename Request, typename Response>
absl::StatusOr<Response> Tell(ClientState* state,
                              grpc::Status (v1::AdminService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                             Response*),
                              const Request& request) {
  if (state->replicas.size() > 1) {
    return absl::InvalidArgumentError("several servers: an admin tells each by itself");
  }
  return Call(state, &Replica::admin, method, request);
}

std::string Words(const v1::Engine& engine) {
  return absl::StrCat(engine.device(), "/", engine.instruction_set(), "/", engine.precision(), "/",
                      engine.kernel_revision());
}

}  // namespace

uint64_t DrawSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  auto state = std::make_shared<ClientState>();
  state->options = options;
  GENOSERVE_ASSIGN_OR_RETURN(std::vector<ServerChannel> channels, OpenChannels(options));
  for (ServerChannel& channel : channels) {
    Replica& replica = state->replicas.emplace_back();
    replica.stub = v1::CohortService::NewStub(channel.channel);
    replica.operations = v1::OperationsService::NewStub(channel.channel);
    replica.admin = v1::AdminService::NewStub(channel.channel);
    replica.channel = std::move(channel);
  }
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

void Client::Cancel() { state_->calls.Cancel(); }

size_t Client::replicas() const { return state_->replicas.size(); }

absl::StatusOr<v1::ListModelsResponse> Client::ListModels() {
  return Call(state_.get(), &Replica::stub, &v1::CohortService::Stub::ListModels, v1::ListModelsRequest());
}

absl::StatusOr<v1::Model> Client::GetModel(const std::string& model, const std::string& version,
                                           const std::string& request_id) {
  v1::GetModelRequest request;
  request.set_model(model);
  request.set_version(version);
  request.set_request_id(request_id);
  return Call(state_.get(), &Replica::stub, &v1::CohortService::Stub::GetModel, request);
}

absl::StatusOr<v1::ServerStatus> Client::GetStatus(const std::string& model) {
  v1::GetStatusRequest request;
  request.set_model(model);
  return Call(state_.get(), &Replica::operations, &v1::OperationsService::Stub::GetStatus, request);
}

absl::StatusOr<v1::ReloadConfigResponse> Client::ReloadConfig() {
  return Tell(state_.get(), &v1::AdminService::Stub::ReloadConfig, v1::ReloadConfigRequest());
}

absl::StatusOr<v1::VersionStatus> Client::RetryVersion(const v1::RetryVersionRequest& request) {
  return Tell(state_.get(), &v1::AdminService::Stub::RetryVersion, request);
}

absl::StatusOr<v1::VersionStatus> Client::PinVersion(const v1::PinVersionRequest& request) {
  return Tell(state_.get(), &v1::AdminService::Stub::PinVersion, request);
}

absl::StatusOr<v1::UnloadModelResponse> Client::UnloadModel(const v1::UnloadModelRequest& request) {
  return Tell(state_.get(), &v1::AdminService::Stub::UnloadModel, request);
}

absl::StatusOr<v1::SetLabelResponse> Client::SetLabel(const v1::SetLabelRequest& request) {
  return Tell(state_.get(), &v1::AdminService::Stub::SetLabel, request);
}

absl::StatusOr<VariantTable> Client::ListVariants(const v1::ListVariantsRequest& request) {
  std::vector<VariantRecord> variants;
  std::vector<ContigRecord> contigs;
  GENOSERVE_RETURN_IF_ERROR(CallWithRetries(state_.get(), [&](grpc::ClientContext* context, const Replica& replica) {
    variants.clear();
    contigs.clear();
    const auto reader = replica.stub->ListVariants(context, request);
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

absl::Status Client::CheckReplicas(const v1::Model& model) {
  v1::GetModelRequest request;
  request.set_model(model.name());
  request.set_version(model.version());
  std::string of;  // the server that runs `engine`
  v1::Engine engine;
  for (const Replica& replica : state_->replicas) {
    grpc::ClientContext context;
    PrepareCall(replica, absl::Now() + std::min(kCheckTime, state_->options.timeout), &context);
    state_->calls.Add(&context);
    v1::Model found;
    const grpc::Status ended = replica.stub->GetModel(&context, request, &found);
    state_->calls.Remove(&context);
    if (state_->calls.cancelled()) return absl::CancelledError("the client was stopped");
    const absl::Status status = CallStatus(state_->calls, replica, ended);
    if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) continue;
    if (!status.ok()) return Annotate(status, replica.channel.server);
    const std::string& server = replica.channel.server;
    if (found.artifact_digest() != model.artifact_digest()) {
      return absl::FailedPreconditionError(absl::StrCat(server, ": version ", model.version(), " of ", model.name(),
                                                        " is another artifact there than at ",
                                                        state_->replicas.front().channel.server));
    }
    if (!found.has_engine()) continue;
    if (of.empty()) {
      of = server;
      engine = found.engine();
    } else if (!google::protobuf::util::MessageDifferencer::Equals(engine, found.engine())) {
      return absl::FailedPreconditionError(absl::StrCat("samples of different engines do not join: ", of, " runs ",
                                                        Words(engine), ", ", server, " runs ", Words(found.engine())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<CohortReader>> Client::StreamCohort(v1::StreamCohortRequest request,
                                                                   StreamOptions options) {
  if (!request.has_seed()) request.set_seed(DrawSeed());
  auto stream = std::make_unique<GrpcCohortReader>(state_, std::move(request), std::move(options));
  GENOSERVE_RETURN_IF_ERROR(stream->Open());
  return stream;
}

}  // namespace genoserve
