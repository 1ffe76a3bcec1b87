#include "core/gpu/device_stream.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>

#include <chrono>
#include <string>

namespace genoserve {
namespace {

// Work on a CPU is done when the call that asks for it returns.
class CpuStream final : public DeviceStream {
 public:
  void Enqueue(const std::function<void()>& work) override { work(); }
  std::function<void()> Capture(const std::function<void()>& work) override { return work; }
  std::function<void()> Mark() override {
    return [] {};
  }
  at::Tensor HostTensor(const std::vector<int64_t>& sizes, at::ScalarType type) override {
    return at::empty(sizes, type);
  }
  std::string DeviceName() const override { return "CPU"; }
  double Milliseconds(const std::function<void()>& work) override {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
};

using MakeStream = DeviceStream* (*)(int device);

MakeStream LoadCudaLibrary() {
  constexpr const char* kName = "libgenoserve_cuda.so";
  void* library = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  const char* reason = library == nullptr ? dlerror() : nullptr;
  TORCH_CHECK(library != nullptr, "cannot load ", kName, ": ", reason != nullptr ? reason : "no reason is told");
  void* make = dlsym(library, "GenoserveMakeCudaStream");
  TORCH_CHECK(make != nullptr, kName, " is of another version");
  return reinterpret_cast<MakeStream>(make);
}

}  // namespace

std::unique_ptr<DeviceStream> MakeDeviceStream(at::Device device) {
  if (device.is_cpu()) return std::make_unique<CpuStream>();
  static const MakeStream make = LoadCudaLibrary();
  return std::unique_ptr<DeviceStream>(make(device.has_index() ? device.index() : 0));
}

}  // namespace genoserve
