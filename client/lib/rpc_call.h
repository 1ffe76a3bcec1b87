// What all calls have in common: their context, and attempts until one succeeds.
#pragma once

#include <grpcpp/client_context.h>

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/lib/backoff.h"
#include "client/lib/client_state.h"

namespace genoserve {

/// Sets deadline and token of a call.
void PrepareCall(const Replica& replica, absl::Time deadline, grpc::ClientContext* context);

/// Waits before another attempt after `status`. Returns OK when the wait is over, or what the call ends with: `status`
/// where no attempt is left or the deadline would pass first, CANCELLED where `calls` were cancelled.
absl::Status WaitForRetry(const ClientOptions& options, CallSet* calls, absl::Time deadline, const absl::Status& status,
                          Backoff* backoff);

/// Makes attempts of a call, one at a replica after another, until one succeeds or none is left. `attempt` must be
/// repeatable.
absl::Status CallWithRetries(ClientState* client,
                             const std::function<grpc::Status(grpc::ClientContext*, const Replica&)>& attempt);

/// A status of gRPC as the caller is to see it: a cancellation that was not of `calls` is UNAVAILABLE.
absl::Status CallStatus(const CallSet& calls, const Replica& replica, const grpc::Status& status);

}  // namespace genoserve
