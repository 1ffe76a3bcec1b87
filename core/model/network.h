// The forward pass of a generator: the one class that computes with LibTorch when serving. No LibTorch in this header.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/model/generator.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The outputs of all rows for a block of variants. A multiple of 4 variants stands before it and it is valid only
/// while the consumer runs.
struct LogitBlock {
  size_t first_variant = 0;
  size_t variants = 0;
  const float* values = nullptr;
  size_t row_stride = 0;    ///< floats from row to row
  size_t state_stride = 0;  ///< floats from one state of a variant to the next

  std::span<const float> Row(size_t row, size_t state) const {
    return {values + row * row_stride + state * state_stride, variants};
  }
};

/// Thread-safe after it was made.
class Network {
 public:
  virtual ~Network() = default;

  /// Computes `rows` rows. `latent` is [rows, latent_size], `condition` [rows, condition_size]: one-hot labels or
  /// encoded phenotypes. `consume` gets the outputs block after block, so that memory does not grow with the number of
  /// variants. One LibTorch thread works. Errors are those of GuardTorch.
  virtual absl::Status Forward(size_t rows, std::span<const float> latent, std::span<const float> condition,
                               absl::FunctionRef<void(const LogitBlock&)> consume) const = 0;

  /// Makes the network of a manifest from weights that CheckWeights has passed.
  static absl::StatusOr<std::unique_ptr<Network>> Make(const v1::Manifest& manifest, const GeneratorShape& shape,
                                                       const TensorMap& weights, DeviceKind device);
};

}  // namespace genoserve
