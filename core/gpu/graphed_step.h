// A training step that is captured once and replayed. No Abseil or protobuf here.
#pragma once

#include <functional>
#include <memory>

#include "core/gpu/device_stream.h"

namespace genoserve {

/// Not thread-safe.
class GraphedStep {
 public:
  /// `step` computes forward, backward and update on tensors that stay where they are, without asking the device for a
  /// value and without random numbers other than those of DeviceDraw.
  GraphedStep(std::shared_ptr<DeviceStream> stream, std::function<void()> step);

  /// One step. The first ones run as they are, since libraries set themselves up by them; from then on a step is one
  /// launch where there is a GPU, with the same effect.
  void Run();

  /// Waits until all steps are done.
  void Wait();

 private:
  std::shared_ptr<DeviceStream> stream_;
  std::function<void()> step_;
  std::function<void()> replay_;
  int runs_ = 0;
};

}  // namespace genoserve
