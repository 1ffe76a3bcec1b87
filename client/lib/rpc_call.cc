#include "client/lib/rpc_call.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/lib/rpc_status.h"
#include "core/base/status.h"

namespace genoserve {

void PrepareCall(const Replica& replica, absl::Time deadline, grpc::ClientContext* context) {
  if (deadline != absl::InfiniteFuture()) context->set_deadline(absl::ToChronoTime(deadline));
  if (!replica.channel.authorization.empty()) context->AddMetadata("authorization", replica.channel.authorization);
}

absl::Status WaitForRetry(const ClientOptions& options, CallSet* calls, absl::Time deadline, const absl::Status& status,
                          Backoff* backoff) {
  if (calls->cancelled()) return absl::CancelledError("it was stopped");
  const std::optional<absl::Duration> delay = backoff->Next(status);
  if (!delay.has_value() || absl::Now() + *delay >= deadline) return status;
  if (options.on_retry) options.on_retry(status, *delay);
  if (!calls->Wait(*delay)) return absl::CancelledError("it was stopped");
  return absl::OkStatus();
}

absl::Status CallWithRetries(ClientState* client,
                             const std::function<grpc::Status(grpc::ClientContext*, const Replica&)>& attempt) {
  const absl::Time deadline = absl::Now() + client->options.timeout;
  Backoff backoff(client->options.retries, client->options.first_backoff);
  for (size_t i = 0;; ++i) {
    const Replica& replica = client->replicas[i % client->replicas.size()];
    grpc::ClientContext context;
    PrepareCall(replica, deadline, &context);
    client->calls.Add(&context);
    const grpc::Status ended = attempt(&context, replica);
    client->calls.Remove(&context);
    if (ended.ok()) return absl::OkStatus();
    absl::Status waited =
        WaitForRetry(client->options, &client->calls, deadline, CallStatus(client->calls, replica, ended), &backoff);
    if (!waited.ok()) return waited;
  }
}

absl::Status CallStatus(const CallSet& calls, const Replica& replica, const grpc::Status& status) {
  if (status.error_code() == grpc::StatusCode::CANCELLED && !calls.cancelled()) {
    return absl::UnavailableError(absl::StrCat("the server ended the call: ", status.error_message()));
  }
  absl::Status result = FromGrpcStatus(status);
  // gRPC's own words for a connection that failed do not name the server, and wrap the reason up in others.
  if (!absl::IsUnavailable(result)) return result;
  if (absl::StartsWith(result.message(), "failed to connect to all addresses")) {
    const std::string words(result.message());
    const size_t reason = words.rfind(": ");
    result = absl::UnavailableError(
        absl::StrContains(words, "wrong version number")  // OpenSSL's words for an answer that is no TLS
            ? "cannot connect: the server speaks no TLS, which is spoken off loopback and where TLS files are named; "
              "--insecure is for plain text"
            : absl::StrCat("cannot connect", reason == std::string::npos ? "" : words.substr(reason)));
  }
  return Annotate(result, replica.channel.server);
}

}  // namespace genoserve
