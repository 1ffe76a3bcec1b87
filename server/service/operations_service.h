// The RPCs of OperationsService, by gRPC's callback API.
#pragma once

#include <functional>
#include <utility>

#include "genoserve/v1/operations.grpc.pb.h"
#include "server/service/request_scope.h"

namespace genoserve {

/// Thread-safe. No method blocks.
class OperationsService final : public v1::OperationsService::CallbackService {
 public:
  /// `fill` sets what a status says of the server's configuration.
  OperationsService(const ServiceParts& parts, std::function<void(v1::ServerStatus&)> fill)
      : parts_(parts), fill_(std::move(fill)) {}

  grpc::ServerUnaryReactor* PollStore(grpc::CallbackServerContext* context, const v1::PollStoreRequest* request,
                                      v1::PollStoreResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest* request,
                                      v1::ServerStatus* response) override;

 private:
  const ServiceParts parts_;
  const std::function<void(v1::ServerStatus&)> fill_;
};

}  // namespace genoserve
