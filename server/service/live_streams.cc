#include "server/service/live_streams.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/clock.h"

namespace genoserve {
namespace {

constexpr absl::Duration kLongestPeriod = absl::Seconds(5);  // between looks at the streams
constexpr int kLooks = 10;                                   // in the time of patience, where that is shorter

}  // namespace

LiveStreams::LiveStreams(absl::Duration patience) : patience_(patience) {
  if (patience != absl::InfiniteDuration()) thread_ = std::thread([this] { Run(); });
}

LiveStreams::~LiveStreams() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void LiveStreams::Run() {
  const absl::Duration period = std::min(kLongestPeriod, patience_ / kLooks);
  absl::MutexLock lock(&mutex_);
  while (!mutex_.AwaitWithTimeout(absl::Condition(&stopping_), period)) {
    while (LiveStream* stream = FindStalled()) {
      stream->stalled_ = true;
      cancelling_ = stream;
      grpc::CallbackServerContext& context = *stream->context_;
      // gRPC may end the call within this, on this thread or on another; EndCall of another waits for it.
      mutex_.Unlock();
      context.TryCancel();
      mutex_.Lock();
      cancelling_ = nullptr;
    }
  }
}

LiveStream* LiveStreams::FindStalled() {
  const int64_t latest = absl::ToUnixNanos(Clock::Steady().Now() - patience_);
  for (LiveStream* stream : calls_) {
    if (!stream->stalled_ && stream->since_ < latest) return stream;
  }
  return nullptr;
}

LiveStream::LiveStream(LiveStreams& all, grpc::CallbackServerContext& context) : LiveStream(all) {
  absl::MutexLock lock(&all_.mutex_);
  context_ = &context;
  all_.calls_.insert(this);
}

LiveStream::LiveStream(LiveStreams& all) : all_(all) { all_.streams_.fetch_add(1); }

LiveStream::~LiveStream() {
  EndWrite();
  EndCall();
  all_.streams_.fetch_sub(1);
}

void LiveStream::BeginWrite(int64_t bytes) {
  writing_ = bytes;
  all_.writing_bytes_.fetch_add(bytes);
  since_ = absl::ToUnixNanos(Clock::Steady().Now());
}

void LiveStream::EndWrite() {
  since_ = kNever;
  all_.writing_bytes_.fetch_sub(writing_);
  writing_ = 0;
}

void LiveStream::EndCall() {
  absl::MutexLock lock(&all_.mutex_);
  if (std::exchange(context_, nullptr) == nullptr) return;
  all_.calls_.erase(this);
  if (std::this_thread::get_id() == all_.thread_.get_id()) return;
  const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_.mutex_) { return all_.cancelling_ != this; };
  all_.mutex_.Await(absl::Condition(&free));
}

absl::Status LiveStream::stalled() const {
  if (!stalled_) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the client took nothing for ", absl::FormatDuration(all_.patience_)));
}

}  // namespace genoserve
