// The RPCs of AdminService, by gRPC's callback API.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/store/checkpoint_store.h"
#include "genoserve/v1/operations.grpc.pb.h"
#include "server/service/request_scope.h"

namespace genoserve {

/// Thread-safe. No method blocks: what reads files runs elsewhere, and its call is answered from there.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  struct Doors {
    ModelManager& manager;
    CheckpointStore& store;
    /// Reads the configuration again, on another thread, and tells what changed. Calls back exactly once.
    std::function<void(std::function<void(const absl::StatusOr<std::vector<std::string>>&)>)> reload_config;
  };
  AdminService(const ServiceParts& parts, Doors doors) : parts_(parts), doors_(std::move(doors)) {}

  grpc::ServerUnaryReactor* ReloadConfig(grpc::CallbackServerContext* context, const v1::ReloadConfigRequest* request,
                                         v1::ReloadConfigResponse* response) override;
  grpc::ServerUnaryReactor* RetryVersion(grpc::CallbackServerContext* context, const v1::RetryVersionRequest* request,
                                         v1::VersionStatus* response) override;
  grpc::ServerUnaryReactor* PinVersion(grpc::CallbackServerContext* context, const v1::PinVersionRequest* request,
                                       v1::VersionStatus* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context, const v1::UnloadModelRequest* request,
                                        v1::UnloadModelResponse* response) override;
  grpc::ServerUnaryReactor* SetLabel(grpc::CallbackServerContext* context, const v1::SetLabelRequest* request,
                                     v1::SetLabelResponse* response) override;

 private:
  const ServiceParts parts_;
  const Doors doors_;
};

}  // namespace genoserve
