#include "server/service/request_scope.h"

#include "absl/strings/str_cat.h"
#include "server/telemetry/trace_context.h"

namespace genoserve {
namespace {

constexpr char kTraceParent[] = "traceparent";

std::optional<TraceContext> TraceOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  if (metadata.count(kTraceParent) != 1) return std::nullopt;
  const grpc::string_ref header = metadata.find(kTraceParent)->second;
  return ContinueTrace({header.data(), header.size()});
}

}  // namespace

RequestScope::RequestScope(const ServiceParts& parts, absl::string_view method, grpc::CallbackServerContext& context)
    : parts_(parts), begin_(absl::Now()) {
  record_.method = std::string(method);
  record_.peer = context.peer();
  record_.trace = TraceOf(context);
  if (record_.trace.has_value()) context.AddInitialMetadata(kTraceParent, record_.trace->Header());
}

absl::Status RequestScope::Authenticate(const grpc::CallbackServerContext& context) {
  absl::StatusOr<std::string> principal = parts_.authenticator.Authenticate(context);
  if (!principal.ok()) {
    parts_.metrics.CountRefusal("authentication");
    return std::move(principal).status();
  }
  record_.principal = *std::move(principal);
  return absl::OkStatus();
}

void RequestScope::SetVersion(const ModelHandle& version) {
  version_ = version;
  record_.model = version->model;
  record_.version = absl::StrCat(version->version);
  record_.digest = version->digest;
}

void RequestScope::End(const absl::Status& status) {
  record_.status = status;
  record_.duration = elapsed();
  const bool held = version_ != nullptr;
  parts_.metrics.CountRequest(record_.method, held ? record_.model : "", held ? record_.version : "",
                              absl::StatusCodeToString(status.code()), record_.duration);
  LogRequest(record_);
  version_.reset();
}

}  // namespace genoserve
