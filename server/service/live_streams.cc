#include "server/service/live_streams.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

constexpr absl::Duration kLongestPeriod = absl::Seconds(5);  // between looks at the streams
constexpr int kLooks = 10;                                   // in the time of patience, where that is shorter

}  // namespace

void LiveStreams::CancelStalled() {
  absl::MutexLock lock(&mutex_);
  canceller_ = std::this_thread::get_id();
  while (LiveStream* stream = FindStalled()) {
    stream->stalled_ = true;
    cancelling_ = stream;
    // The stream may be gone after this; EndCall of another thread waits for it.
    mutex_.Unlock();
    stream->cancel_();
    mutex_.Lock();
    cancelling_ = nullptr;
  }
}

LiveStream* LiveStreams::FindStalled() {
  const int64_t latest = absl::ToUnixNanos(clock_.Now() - patience_);
  for (LiveStream* stream : calls_) {
    if (!stream->stalled_ && stream->since_ < latest) return stream;
  }
  return nullptr;
}

LiveStream::LiveStream(LiveStreams& all) : all_(all) { all_.streams_.fetch_add(1); }

LiveStream::LiveStream(LiveStreams& all, std::function<void()> cancel) : all_(all), cancel_(std::move(cancel)) {
  all_.streams_.fetch_add(1);
  absl::MutexLock lock(&all_.mutex_);
  all_.calls_.insert(this);
}

LiveStream::~LiveStream() {
  EndWrite();
  EndCall();
  all_.streams_.fetch_sub(1);
}

void LiveStream::BeginWrite(int64_t bytes) {
  writing_ = bytes;
  all_.writing_bytes_.fetch_add(bytes);
  since_ = absl::ToUnixNanos(all_.clock_.Now());
}

void LiveStream::EndWrite() {
  since_ = kNever;
  all_.writing_bytes_.fetch_sub(writing_);
  writing_ = 0;
}

void LiveStream::EndCall() {
  absl::MutexLock lock(&all_.mutex_);
  all_.calls_.erase(this);
  if (all_.canceller_ == std::this_thread::get_id()) return;
  const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(all_.mutex_) { return all_.cancelling_ != this; };
  all_.mutex_.Await(absl::Condition(&free));
}

absl::Status LiveStream::stalled() const {
  if (!stalled_) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the client did not take a message within ", absl::FormatDuration(all_.patience_)));
}

StallWatch::StallWatch(LiveStreams& streams)
    : thread_([this, &streams] {
        const absl::Duration period = std::min(kLongestPeriod, streams.patience() / kLooks);
        while (!stop_.WaitForNotificationWithTimeout(period)) streams.CancelStalled();
      }) {}

StallWatch::~StallWatch() {
  stop_.Notify();
  thread_.join();
}

}  // namespace genoserve
