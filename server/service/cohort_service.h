// The RPCs of CohortService, by gRPC's callback API.
#pragma once

#include "genoserve/v1/cohort.grpc.pb.h"
#include "server/service/request_scope.h"

namespace genoserve {

/// Thread-safe. No method blocks.
class CohortService final : public v1::CohortService::CallbackService {
 public:
  explicit CohortService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context, const v1::ListModelsRequest* request,
                                       v1::ListModelsResponse* response) override;
  grpc::ServerUnaryReactor* GetModel(grpc::CallbackServerContext* context, const v1::GetModelRequest* request,
                                     v1::Model* response) override;
  grpc::ServerWriteReactor<v1::ListVariantsResponse>* ListVariants(grpc::CallbackServerContext* context,
                                                                   const v1::ListVariantsRequest* request) override;
  grpc::ServerWriteReactor<v1::StreamCohortResponse>* StreamCohort(grpc::CallbackServerContext* context,
                                                                   const v1::StreamCohortRequest* request) override;

 private:
  const ServiceParts parts_;
};

}  // namespace genoserve
