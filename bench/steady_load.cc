#include "bench/steady_load.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace genoserve {
namespace {

using std::chrono::steady_clock;

constexpr int kConnections = 8;
constexpr auto kGlance = std::chrono::milliseconds(5);  // at the pace, at least so often

bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::RetryInfo retry;
  if (!rich.ParseFromString(status.error_details())) return false;
  return std::any_of(rich.details().begin(), rich.details().end(),
                     [&retry](const auto& detail) { return detail.UnpackTo(&retry); });
}

}  // namespace

std::unique_ptr<v1::CohortService::Stub> ConnectTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return v1::CohortService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

v1::StreamCohortRequest CohortOf(const std::string& model, int64_t samples, uint64_t seed) {
  v1::StreamCohortRequest request;
  request.set_model(model);
  request.set_cohort_size(samples);
  request.set_seed(seed);
  return request;
}

void Pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

struct SteadyLoad::Call {
  enum class Step { kStart, kRead, kFinish };

  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncReader<v1::StreamCohortResponse>> reader;
  v1::StreamCohortResponse response;
  grpc::Status status;
  int64_t read = 0;  // samples
  Step step = Step::kStart;
};

SteadyLoad::SteadyLoad(const std::string& address, std::string model, int64_t samples, int batch_bytes)
    : model_(std::move(model)), samples_(samples), batch_bytes_(batch_bytes) {
  for (int i = 0; i < kConnections; ++i) stubs_.push_back(ConnectTo(address));
  thread_ = std::thread([this] { Loop(); });
}

SteadyLoad::~SteadyLoad() {
  stop_ = true;
  thread_.join();
}

void SteadyLoad::KeepInFlight(int calls) {
  target_ = calls;
  pace_ = Pace::kClosed;
}

void SteadyLoad::Offer(double calls_per_second) {
  rate_ = calls_per_second;
  pace_ = Pace::kOpen;
}

bool SteadyLoad::Finish(double seconds) {
  pace_ = Pace::kRest;
  const auto begin = steady_clock::now();
  // The loop has seen the pace once it has looked again.
  do {
    std::this_thread::sleep_for(4 * kGlance);
  } while (in_flight_ > 0 && SecondsSince(begin) < seconds);
  return in_flight_ == 0;
}

CallCounts SteadyLoad::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string SteadyLoad::first_loss() const {
  const std::lock_guard lock(mutex_);
  return first_loss_;
}

void SteadyLoad::Loop() {
  bool cancelled = false;
  while (true) {
    if (!stop_) {
      const auto glance = BeginDue();
      void* tag = nullptr;
      bool ok = false;
      if (queue_.AsyncNext(&tag, &ok, glance) == grpc::CompletionQueue::GOT_EVENT) Proceed(static_cast<Call*>(tag), ok);
      continue;
    }
    if (!std::exchange(cancelled, true)) {
      for (Call* call : calls_) call->context.TryCancel();
    }
    if (calls_.empty()) break;
    void* tag = nullptr;
    bool ok = false;
    if (queue_.Next(&tag, &ok)) Proceed(static_cast<Call*>(tag), ok);
  }
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

std::chrono::system_clock::time_point SteadyLoad::BeginDue() {
  const auto glance = std::chrono::system_clock::now() + kGlance;
  const Pace pace = pace_;
  if (pace != Pace::kOpen) opened_ = false;
  if (pace == Pace::kClosed) {
    while (in_flight_ < target_) Begin();
  }
  if (pace != Pace::kOpen) return glance;
  if (!std::exchange(opened_, true)) {
    open_since_ = steady_clock::now();
    due_ = 0;
  }
  for (; static_cast<double>(due_) <= SecondsSince(open_since_) * rate_; ++due_) Begin();
  const std::chrono::duration<double> wait(static_cast<double>(due_) / rate_ - SecondsSince(open_since_));
  return std::min(
      glance, std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(wait));
}

void SteadyLoad::Begin() {
  v1::StreamCohortRequest request = CohortOf(model_, samples_, ++seed_);
  request.set_max_batch_bytes(batch_bytes_);
  auto* call = new Call;
  calls_.insert(call);
  ++in_flight_;
  call->reader = stubs_[seed_ % stubs_.size()]->PrepareAsyncStreamCohort(&call->context, request, &queue_);
  call->reader->StartCall(call);
  const std::lock_guard lock(mutex_);
  ++counts_.begun;
}

void SteadyLoad::Proceed(Call* call, bool ok) {
  if (call->step == Call::Step::kFinish) {
    if (!stop_) Count(*call);
    calls_.erase(call);
    delete call;
    --in_flight_;
    return;
  }
  if (ok && call->step == Call::Step::kRead && call->response.has_batch()) {
    const int64_t samples = call->response.batch().sample_count();
    call->read += samples;
    const std::lock_guard lock(mutex_);
    counts_.samples += samples;
  }
  if (ok) {
    call->step = Call::Step::kRead;
    call->reader->Read(&call->response, call);
  } else {
    call->step = Call::Step::kFinish;
    call->reader->Finish(&call->status, call);
  }
}

void SteadyLoad::Count(const Call& call) {
  const std::lock_guard lock(mutex_);
  if (call.status.ok() && call.read == samples_) {
    ++counts_.served;
  } else if (call.read == 0 && call.status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
    ++counts_.refused;
    if (!HasRetryInfo(call.status)) ++counts_.bare;
  } else {
    if (counts_.lost++ == 0) first_loss_ = call.status.ok() ? "samples are missing" : call.status.error_message();
  }
}

}  // namespace genoserve
