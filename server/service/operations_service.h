// The RPCs of OperationsService, by gRPC's callback API.
#pragma once

#include "genoserve/v1/operations.grpc.pb.h"
#include "server/service/request_scope.h"

namespace genoserve {

/// Thread-safe. No method blocks.
class OperationsService final : public v1::OperationsService::CallbackService {
 public:
  explicit OperationsService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* PollStore(grpc::CallbackServerContext* context, const v1::PollStoreRequest* request,
                                      v1::PollStoreResponse* response) override;

 private:
  const ServiceParts parts_;
};

}  // namespace genoserve
