// Keeps gRPC awake.
#pragma once

#include <grpcpp/server.h>

#include <thread>

#include "absl/synchronization/notification.h"

namespace genoserve {

/// gRPC 1.51's callback threads sleep for 100 ms after a second without a call, and calls that come meanwhile wait.
/// A health check to ourselves every 200 ms, by a channel within the process, keeps them from it.
class LoopbackPulse {
 public:
  /// `server` must outlive the pulse.
  explicit LoopbackPulse(grpc::Server& server);
  ~LoopbackPulse();

 private:
  void Run(grpc::Server& server);

  absl::Notification stop_;
  std::thread thread_;
};

}  // namespace genoserve
