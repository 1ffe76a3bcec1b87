#include "client/lib/call_set.h"

namespace genoserve {

CallSet::CallSet(CallSet* parent) : parent_(parent) {
  const absl::MutexLock lock(&parent_->mutex_);
  parent_->children_.insert(this);
  if (parent_->cancelled_) Cancel();
}

CallSet::~CallSet() {
  if (parent_ == nullptr) return;
  const absl::MutexLock lock(&parent_->mutex_);
  parent_->children_.erase(this);
}

void CallSet::Add(grpc::ClientContext* call) {
  const absl::MutexLock lock(&mutex_);
  calls_.insert(call);
  if (cancelled_) call->TryCancel();
}

void CallSet::Remove(grpc::ClientContext* call) {
  const absl::MutexLock lock(&mutex_);
  calls_.erase(call);
}

void CallSet::Cancel() {
  const absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  // The lock is held: a call that is removed meanwhile would be gone before it is cancelled.
  for (grpc::ClientContext* call : calls_) call->TryCancel();
  for (CallSet* child : children_) child->Cancel();
}

bool CallSet::cancelled() const {
  const absl::MutexLock lock(&mutex_);
  return cancelled_;
}

bool CallSet::Wait(absl::Duration duration) {
  const absl::MutexLock lock(&mutex_);
  return !mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), duration);
}

}  // namespace genoserve
