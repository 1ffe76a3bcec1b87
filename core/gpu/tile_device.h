// The door to libgenoserve_torch.so, which holds all of serving that needs LibTorch and is opened only where a model
// runs on a GPU. Both sides include this header: no LibTorch and no protobuf here.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/gpu/tile_spec.h"

namespace genoserve {

/// A tensor of fp32 in memory of the caller, row-major.
struct TileWeight {
  std::vector<int64_t> shape;
  std::span<const float> values;
};

/// The tiles of one model on a device. Thread-safe. Errors are those of GuardTorch: RESOURCE_EXHAUSTED, UNAVAILABLE
/// where the device is broken for good, INTERNAL.
class ModelTiles {
 public:
  virtual ~ModelTiles() = default;

  /// Rows of the largest tile.
  virtual int64_t most_rows() const = 0;

  /// Generates 1 to most_rows() rows; `conditions` is [rows.size(), condition_size]. With `parts` only these, ascending
  /// indices of kPartVariants variants; empty = all. Calls `take` with the packed bytes, row after row, which are valid
  /// until it returns; what the other parts hold is not told.
  virtual absl::Status Run(std::span<const TileRow> rows, std::span<const float> conditions,
                           std::span<const int64_t> parts, const std::function<void(const uint8_t*)>& take) = 0;
};

/// A device on which models run. Thread-safe.
class TileDevice {
 public:
  virtual ~TileDevice() = default;

  /// Places a model on the device in bf16 or fp32 and proves on random rows which of its tile shapes give equal bits
  /// whatever the order of rows: only those are used, padded. `weights` are by the names of GeneratorShape, acgan's
  /// hidden.0.weight being [outputs, latent_size + condition_size], its labels folded; they are copied. INTERNAL where
  /// the largest shape does not prove; INVALID_ARGUMENT where outputs are not finite; others as of ModelTiles.
  virtual absl::StatusOr<std::unique_ptr<ModelTiles>> Make(const TileSpec& spec,
                                                           const std::map<std::string, TileWeight>& weights,
                                                           bool bf16) const = 0;
};

/// The one function of the library, by its C name: opens the GPU or, where tests exercise the same code, the CPU.
/// FAILED_PRECONDITION where LibTorch's CUDA libraries cannot be loaded or show no GPU.
using OpenTileDeviceFunction = void(bool cuda, absl::StatusOr<std::unique_ptr<TileDevice>>* device);
inline constexpr char kTileLibrary[] = "libgenoserve_torch.so";
inline constexpr char kOpenTileDevice[] = "GenoserveOpenTileDevice";

}  // namespace genoserve
