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
    absl::MutexLock lock(&mutex_);
    if (stopping_) return Stopping();
    if (lookers_.size() >= kMostLookers) {
      return RetryLater(absl::StatusCode::kResourceExhausted, "too many wait for a look at the store already",
                        kLookRetry);
    }
    lookers_.push_back(looker);
    woken_ = true;
    return absl::OkStatus();
  }();
  if (!refused.ok()) looker.done(refused);
}

void ManagerMailbox::Configure(ManagerSettings settings) {
  absl::MutexLock lock(&mutex_);
  settings_ = std::move(settings);
  woken_ = true;
}

void ManagerMailbox::Return(std::unique_ptr<const ServingVersion> version) {
  absl::MutexLock lock(&mutex_);
  returned_.push_back(std::move(version));
  woken_ = true;
}

void ManagerMailbox::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

void ManagerMailbox::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (const Looker& looker : TakeLookers()) looker.done(Stopping());
}

bool ManagerMailbox::Await(absl::Duration most) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(
                              +[](ManagerMailbox* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) {
                                return self->woken_ || self->stopping_;
                              },
                              this),
                          most);
  woken_ = false;
  return !stopping_;
}

std::vector<ManagerMailbox::Looker> ManagerMailbox::TakeLookers() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(lookers_, {});
}

std::optional<ManagerSettings> ManagerMailbox::TakeSettings() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(settings_, std::nullopt);
}

std::vector<std::unique_ptr<const ServingVersion>> ManagerMailbox::TakeReturned() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(returned_, {});
}

}  // namespace genoserve
