#include "core/gpu/graphed_step.h"

#include <utility>

namespace genoserve {
namespace {

constexpr int kStepsBeforeCapture = 3;

}  // namespace

GraphedStep::GraphedStep(std::shared_ptr<DeviceStream> stream, std::function<void()> step)
    : stream_(std::move(stream)), step_(std::move(step)) {}

void GraphedStep::Run() {
  if (runs_ < kStepsBeforeCapture) {
    ++runs_;
    stream_->Enqueue(step_);
    return;
  }
  if (!replay_) {
    Wait();
    replay_ = stream_->Capture(step_);
  }
  stream_->Enqueue(replay_);
}

void GraphedStep::Wait() { stream_->Mark()(); }

}  // namespace genoserve
