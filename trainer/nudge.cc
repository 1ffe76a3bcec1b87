#include "trainer/nudge.h"

#include <grpcpp/client_context.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/lib/channel.h"
#include "client/lib/rpc_status.h"
#include "core/base/status.h"
#include "genoserve/v1/operations.grpc.pb.h"

namespace genoserve {
namespace {

absl::StatusOr<ServerChannel> OpenTo(const std::string& server, const v1::ServerAccess& access) {
  ClientOptions options;
  options.server = server;
  options.token_file = access.token_file();
  options.tls_ca = access.tls_ca();
  options.tls_certificate = access.tls_certificate();
  options.tls_key = access.tls_key();
  options.insecure = access.insecure();
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<ServerChannel> channels, OpenChannels(options));
  if (channels.size() == 1) return channels.front();
  return absl::InvalidArgumentError(absl::StrCat(server, ": is several servers; name each by a --nudge of its own"));
}

absl::StatusOr<v1::PollStoreResponse> Poll(const std::string& server, const v1::ServerAccess& access) {
  GENOSERVE_ASSIGN_OR_RETURN(const ServerChannel channel, OpenTo(server, access));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kNudgeTime));
  if (!channel.authorization.empty()) context.AddMetadata("authorization", channel.authorization);
  v1::PollStoreResponse response;
  const auto stub = v1::OperationsService::NewStub(channel.channel);
  GENOSERVE_RETURN_IF_ERROR(FromGrpcStatus(stub->PollStore(&context, {}, &response)));
  return response;
}

std::string StateOf(const v1::PollStoreResponse& response, const std::string& model, int64_t version) {
  for (const v1::Model& known : response.models()) {
    if (known.name() != model || known.version() != absl::StrCat(version)) continue;
    if (known.state() == v1::MODEL_STATE_SERVING) return "serves it";
    if (known.state() == v1::MODEL_STATE_LOADING) return "loads it";
    return absl::StrCat("does not serve it: ", known.reason());
  }
  return "has looked at its store; it loads the version when its turn comes";
}

std::string Nudge(const std::string& server, const v1::TrainOutput& output, int64_t version) {
  const auto response = Poll(server, output.nudge_access());
  if (response.ok()) return absl::StrCat("server ", server, " ", StateOf(*response, output.model(), version));
  return absl::StrCat(
      "warning: server ", server, " could not be told of version ", version,
      " and finds it at its next look: ", absl::StrReplaceAll(response.status().message(), {{"\n", " "}}));
}

}  // namespace

absl::Status CheckNudge(const v1::TrainOutput& output) {
  for (const std::string& server : output.nudge()) {
    GENOSERVE_RETURN_IF_ERROR(Annotate(OpenTo(server, output.nudge_access()).status(), "--nudge"));
  }
  return absl::OkStatus();
}

void NudgeServers(const v1::TrainOutput& output, int64_t version, std::ostream& out) {
  std::vector<std::string> lines(static_cast<size_t>(output.nudge_size()));
  std::vector<std::thread> threads;
  threads.reserve(lines.size());
  for (int i = 0; i < output.nudge_size(); ++i) {
    threads.emplace_back(
        [&output, &lines, version, i] { lines[static_cast<size_t>(i)] = Nudge(output.nudge(i), output, version); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& line : lines) out << line << std::endl;
}

}  // namespace genoserve
