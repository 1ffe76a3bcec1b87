// What the calls and streams of one client share.
#pragma once

#include <memory>
#include <vector>

#include "client/lib/call_set.h"
#include "client/lib/channel.h"
#include "client/lib/client_options.h"
#include "genoserve/v1/cohort.grpc.pb.h"
#include "genoserve/v1/operations.grpc.pb.h"

namespace genoserve {

/// One server as a client sees it.
struct Replica {
  ServerChannel channel;
  std::unique_ptr<v1::CohortService::Stub> stub;
  std::unique_ptr<v1::OperationsService::Stub> operations;
  std::unique_ptr<v1::AdminService::Stub> admin;
};

/// The servers of a client. Only `calls` changes once the client is connected; it is thread-safe.
struct ClientState {
  ClientOptions options;
  std::vector<Replica> replicas;  ///< at least one, in the order given
  CallSet calls;
};

}  // namespace genoserve
