// One ListVariants call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <vector>

#include "genoserve/v1/cohort.pb.h"
#include "server/service/request_scope.h"

namespace genoserve {

/// Writes the variants of a version in messages of at most 4,096, one write at a time.
class VariantStream final : public grpc::ServerWriteReactor<v1::ListVariantsResponse> {
 public:
  using Reactor = grpc::ServerWriteReactor<v1::ListVariantsResponse>;

  /// Begins a call; the reactor deletes itself when it is done.
  static Reactor* Start(const ServiceParts& parts, grpc::CallbackServerContext& context,
                        const v1::ListVariantsRequest& request);

  void OnWriteDone(bool ok) override;
  void OnDone() override;

 private:
  VariantStream(const ServiceParts& parts, RequestScope scope, StreamGate::Ticket ticket,
                grpc::CallbackServerContext& context, ModelHandle version, std::vector<size_t> selection);

  void WriteNext();

  const grpc::CallbackServerContext& context_;
  LiveStream live_;
  RequestScope scope_;
  const StreamGate::Ticket ticket_;
  const ModelHandle version_;
  const std::vector<size_t> selection_;
  size_t next_ = 0;  // in selection_
  v1::ListVariantsResponse response_;
  absl::Status status_;
};

}  // namespace genoserve
