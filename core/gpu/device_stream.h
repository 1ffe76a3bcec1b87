// An ordered queue of work on a device: launches, captured passes, pinned memory and waiting. All that only CUDA has is
// in the shared library genoserve_cuda, which is loaded where there is a GPU; on a CPU work is done at once, so that
// everything above this seam is tested there. No Abseil or protobuf here.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace genoserve {

/// Work that is put in runs after all that was put in before. Thread-safe, but for Capture, which wants no other work
/// on this stream meanwhile.
class DeviceStream {
 public:
  virtual ~DeviceStream() = default;

  /// Runs `work` here, what it launches going to this stream.
  virtual void Enqueue(const std::function<void()>& work) = 0;

  /// Launches that `work` makes, as a function that launches them all again in one go, on the same tensors. `work` has
  /// run before (what it sets up at its first time cannot be captured), changes no shape and waits for nothing. Tensors
  /// that it leaves behind must have been made before; memory that it takes for itself is kept as long as the function
  /// and is shared with the stream's other captures, since their work does not overlap.
  virtual std::function<void()> Capture(const std::function<void()>& work) = 0;

  /// A function that returns once all work that was put in before now is done.
  virtual std::function<void()> Mark() = 0;

  /// A tensor on the host that copies to and from the device need no detour for.
  virtual at::Tensor HostTensor(const std::vector<int64_t>& sizes, at::ScalarType type) = 0;

  /// What a user calls the device.
  virtual std::string DeviceName() const = 0;

  /// Milliseconds that `work`, put in here, takes on the device; waits for it.
  virtual double Milliseconds(const std::function<void()>& work) = 0;
};

/// A stream of a device. Throws c10::Error where genoserve_cuda is wanted and cannot be loaded: it is looked for on the
/// RPATH of what this is linked into, beside libgenoserve_torch.so, and then where the system looks.
std::unique_ptr<DeviceStream> MakeDeviceStream(at::Device device);

}  // namespace genoserve
