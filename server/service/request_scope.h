// What the RPCs share: the parts of the server that they use, and the record of one request.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "genoserve/v1/config.pb.h"
#include "server/manager/model_manager.h"
#include "server/rpc_error.h"
#include "server/scheduler/tile_scheduler.h"
#include "server/security/authenticator.h"
#include "server/service/live_streams.h"
#include "server/service/stream_gate.h"
#include "server/telemetry/metrics.h"
#include "server/telemetry/request_log.h"

namespace genoserve {

/// The parts that RPCs use. All outlive every RPC.
struct ServiceParts {
  const v1::ServerConfig& config;
  const Authenticator& authenticator;
  const ModelManager& manager;
  TileScheduler& scheduler;
  StreamGate& gate;
  Metrics& metrics;
  LiveStreams& live;
};

/// The record of one request, from its beginning to its log line. It holds the version that answers until then, so
/// that what is counted for a version is counted before the version is gone. Not thread-safe.
class RequestScope {
 public:
  /// A caller's trace is continued: the answer's initial metadata has the traceparent of this request's span.
  RequestScope(const ServiceParts& parts, absl::string_view method, grpc::CallbackServerContext& context);

  /// Finds out who is calling.
  absl::Status Authenticate(const grpc::CallbackServerContext& context);
  /// Notes which version answers.
  void SetVersion(const ModelHandle& version);

  /// Since the request came.
  absl::Duration elapsed() const { return absl::Now() - begin_; }
  RequestRecord& record() { return record_; }

  /// Counts and logs the request. Call once, last.
  void End(const absl::Status& status);

 private:
  const ServiceParts& parts_;
  const absl::Time begin_;
  ModelHandle version_;
  RequestRecord record_;
};

/// A stream that ends with an error before it has begun.
template <typename Response>
class RefusedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  /// Deletes itself when it is done. Ends the scope too.
  static grpc::ServerWriteReactor<Response>* Start(const ServiceParts& parts, RequestScope& scope,
                                                   const absl::Status& status) {
    scope.End(status);
    auto* stream = new RefusedStream(parts.live);
    stream->Finish(ToGrpcStatus(status));
    return stream;
  }
  void OnDone() override { delete this; }

 private:
  explicit RefusedStream(LiveStreams& live) : live_(live) {}

  const LiveStream live_;
};

}  // namespace genoserve
