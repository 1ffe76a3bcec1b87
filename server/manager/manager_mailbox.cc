#include "server/manager/manager_mailbox.h"

#include <utility>

#include "server/rpc_error.h"

namespace genoserve {
namespace {

constexpr size_t kMostLookers = 256;  // that wait for one look at the store
constexpr absl::Duration kLookRetry = absl::Seconds(1);

absl::Status Stopping() {
  return RetryLater(absl::StatusCode::kUnavailable, "the server is shutting down", kLookRetry);
}

}  // namespace

void ManagerMailbox::Ask(const Looker& looker) {
  const absl::Status refused = [&]() -> absl::Status {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Stopping();
    if (lookers_.size() >= kMostLookers) {
      return RetryLater(absl::StatusCode::kResourceExhausted, "too many wait for a look at the store already",
                        kLookRetry);
    }
    lookers_.push_back(looker);
    woken_ = true;
    changed_.notify_all();
    return absl::OkStatus();
  }();
  if (!refused.ok()) looker.done(refused);
}

void ManagerMailbox::Configure(ManagerSettings settings) {
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
  woken_ = true;
  changed_.notify_all();
}

void ManagerMailbox::Return(std::unique_ptr<const ServingVersion> version) {
  const std::lock_guard lock(mutex_);
  returned_.push_back(std::move(version));
  woken_ = true;
  changed_.notify_all();
}

void ManagerMailbox::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void ManagerMailbox::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (const Looker& looker : TakeLookers()) looker.done(Stopping());
}

bool ManagerMailbox::Await(absl::Duration most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(most), [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

std::vector<ManagerMailbox::Looker> ManagerMailbox::TakeLookers() {
  const std::lock_guard lock(mutex_);
  return std::exchange(lookers_, {});
}

std::optional<ManagerSettings> ManagerMailbox::TakeSettings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(settings_, std::nullopt);
}

std::vector<std::unique_ptr<const ServingVersion>> ManagerMailbox::TakeReturned() {
  const std::lock_guard lock(mutex_);
  return std::exchange(returned_, {});
}

}  // namespace genoserve
