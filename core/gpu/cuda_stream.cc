// The shared library genoserve_cuda: the one file that calls CUDA. See device_stream.h.
#include <ATen/Context.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <memory>
#include <string>

#include "core/gpu/device_stream.h"

namespace genoserve {
namespace {

class Event {
 public:
  explicit Event(unsigned flags) { C10_CUDA_CHECK(cudaEventCreateWithFlags(&event_, flags)); }
  ~Event() { C10_CUDA_CHECK_WARN(cudaEventDestroy(event_)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Record(const c10::cuda::CUDAStream& stream) { C10_CUDA_CHECK(cudaEventRecord(event_, stream.stream())); }
  void Wait() { C10_CUDA_CHECK(cudaEventSynchronize(event_)); }
  double MillisecondsSince(const Event& start) const {
    float milliseconds = 0;
    C10_CUDA_CHECK(cudaEventElapsedTime(&milliseconds, start.event_, event_));
    return static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaStream final : public DeviceStream {
 public:
  explicit CudaStream(c10::DeviceIndex device)
      : stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device)), pool_(at::cuda::graph_pool_handle()) {}

  void Enqueue(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    work();
  }

  std::function<void()> Capture(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    const auto graph = std::make_shared<at::cuda::CUDAGraph>();
    // Other threads may use the device meanwhile, on streams of their own.
    graph->capture_begin(pool_, cudaStreamCaptureModeThreadLocal);
    try {
      work();
    } catch (...) {
      // The first error is the one to tell; ending the capture gives the stream back.
      try {
        graph->capture_end();
      } catch (...) {
      }
      throw;
    }
    graph->capture_end();
    return [this, graph] {
      const c10::cuda::CUDAStreamGuard on_stream(stream_);
      graph->replay();
    };
  }

  std::function<void()> Mark() override {
    const c10::cuda::CUDAGuard device(stream_.device_index());
    // A waiting worker leaves its core to others.
    const auto event = std::make_shared<Event>(cudaEventDisableTiming | cudaEventBlockingSync);
    event->Record(stream_);
    return [event] { event->Wait(); };
  }

  at::Tensor HostTensor(const std::vector<int64_t>& sizes, at::ScalarType type) override {
    return at::empty(sizes, at::TensorOptions().dtype(type).pinned_memory(true));
  }

  std::string DeviceName() const override {
    cudaDeviceProp properties;
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, stream_.device_index()));
    return std::string(properties.name) + ", sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
  }

  double Milliseconds(const std::function<void()>& work) override {
    const c10::cuda::CUDAStreamGuard guard(stream_);
    Event start(cudaEventBlockingSync);
    Event end(cudaEventBlockingSync);
    start.Record(stream_);
    work();
    end.Record(stream_);
    end.Wait();
    return end.MillisecondsSince(start);
  }

 private:
  const c10::cuda::CUDAStream stream_;
  const at::MempoolId_t pool_;
};

}  // namespace
}  // namespace genoserve

extern "C" __attribute__((visibility("default"))) genoserve::DeviceStream* GenoserveMakeCudaStream(int device) {
  at::globalContext().lazyInitDevice(c10::DeviceType::CUDA);
  return new genoserve::CudaStream(static_cast<c10::DeviceIndex>(device));
}
