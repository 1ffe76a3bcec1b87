// The shared library genoserve_torch: see tile_device.h.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/gpu/tile_device.h"
#include "core/gpu/tile_graph.h"
#include "core/gpu/torch_guard.h"

namespace genoserve {
namespace {

// The smaller tile shape, for calls of few samples.
constexpr int64_t kSmallTileRows = 64;

// On the memory of `weight`.
at::Tensor View(const TileWeight& weight) {
  return at::from_blob(const_cast<float*>(weight.values.data()), weight.shape, at::TensorOptions().dtype(at::kFloat));
}

class TorchTiles final : public ModelTiles {
 public:
  // Throws what LibTorch throws.
  TorchTiles(const TileSpec& spec, const std::map<std::string, TileWeight>& weights, at::Device device,
             at::ScalarType type) {
    const c10::InferenceMode inference;
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, weight] : weights) tensors.emplace(name, View(weight));
    const std::shared_ptr<DeviceStream> stream = MakeDeviceStream(device);
    std::shared_ptr<const TilePass> pass;
    std::vector<int64_t> proved;
    stream->Enqueue([&] {
      pass = std::make_shared<TilePass>(TileNetwork(spec, tensors, device, type), type);
      proved = ProvedTileRows(*pass, std::vector{kSmallTileRows, LargestTileRows(spec.variants)});
      if (!proved.empty()) finite_ = OutputsAreFinite(*pass, kSmallTileRows);
    });
    for (const int64_t rows : proved) tiles_.push_back(std::make_unique<TileGraph>(pass, stream, rows));
  }

  absl::Status CheckOutputs() const {
    if (tiles_.empty()) return absl::InternalError("the rows of a tile depend on their order on this device");
    if (!finite_) return absl::InvalidArgumentError("weights: the outputs that they give are not finite");
    return absl::OkStatus();
  }

  int64_t most_rows() const override { return tiles_.back()->rows(); }

  absl::Status Run(std::span<const TileRow> rows, std::span<const float> conditions, std::span<const int64_t> parts,
                   const std::function<void(const uint8_t*)>& take) override {
    return GuardTorch([&] {
      const auto count = static_cast<int64_t>(rows.size());
      TileGraph& graph = **std::ranges::find_if(tiles_, [&](const auto& tile) { return tile->rows() >= count; });
      graph.Run(rows, conditions, parts, take);
      return absl::OkStatus();
    });
  }

 private:
  bool finite_ = false;
  std::vector<std::unique_ptr<TileGraph>> tiles_;  // by rows, ascending
};

class TorchDevice final : public TileDevice {
 public:
  explicit TorchDevice(at::Device device) : device_(device) {}

  absl::StatusOr<std::unique_ptr<ModelTiles>> Make(const TileSpec& spec,
                                                   const std::map<std::string, TileWeight>& weights,
                                                   bool bf16) const override {
    std::unique_ptr<TorchTiles> tiles;
    GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
      tiles = std::make_unique<TorchTiles>(spec, weights, device_, bf16 ? at::kBFloat16 : at::kFloat);
      return absl::OkStatus();
    }));
    GENOSERVE_RETURN_IF_ERROR(tiles->CheckOutputs());
    return tiles;
  }

 private:
  const at::Device device_;
};

absl::Status SetUpGpu() {
  // LibTorch asks for its CUDA hooks once, so the library must be there before.
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return absl::FailedPreconditionError(
        absl::StrCat("LibTorch's CUDA library cannot be loaded: ", reason != nullptr ? reason : "no reason is told",
                     "; install LibTorch 2.11.0 with its CUDA libraries"));
  }
  return GuardTorch([] {
    if (at::getNumGPUs() == 0) return absl::FailedPreconditionError("LibTorch sees no GPU that it can use");
    // Reduced-precision products would break the promise that "fp32" makes.
    at::globalContext().setAllowTF32CuBLAS(false);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::unique_ptr<TileDevice>> Open(bool cuda) {
  if (cuda) {
    GENOSERVE_RETURN_IF_ERROR(SetUpGpu());
    return std::make_unique<TorchDevice>(at::kCUDA);
  }
  // On a CPU a product that several threads share may have other bits for other rows.
  at::set_num_threads(1);
  return std::make_unique<TorchDevice>(at::kCPU);
}

}  // namespace
}  // namespace genoserve

extern "C" __attribute__((visibility("default"))) void GenoserveOpenTileDevice(
    bool cuda, absl::StatusOr<std::unique_ptr<genoserve::TileDevice>>* device) {
  *device = genoserve::Open(cuda);
}
