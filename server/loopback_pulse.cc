#include "server/loopback_pulse.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <chrono>

#include "absl/time/time.h"

namespace genoserve {
namespace {

constexpr absl::Duration kPeriod = absl::Milliseconds(200);
constexpr absl::Duration kDeadline = absl::Seconds(5);

}  // namespace

LoopbackPulse::LoopbackPulse(grpc::Server& server) : thread_([this, &server] { Run(server); }) {}

LoopbackPulse::~LoopbackPulse() {
  stop_.Notify();
  thread_.join();
}

void LoopbackPulse::Run(grpc::Server& server) {
  grpc::GenericStub stub(server.InProcessChannel(grpc::ChannelArguments()));
  // The empty HealthCheckRequest asks for the server as a whole.
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);
  do {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
    grpc::ByteBuffer response;
    absl::Notification answered;
    stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                   [&answered](const grpc::Status&) { answered.Notify(); });
    answered.WaitForNotification();
  } while (!stop_.WaitForNotificationWithTimeout(kPeriod));
}

}  // namespace genoserve
