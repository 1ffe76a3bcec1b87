// The forward pass of a generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace genoserve {

/// Rows of one forward pass at most.
inline constexpr size_t kMostNetworkRows = 256;

/// The outputs of some rows for some blocks of variants that lie side by side. Valid only while the consumer runs.
struct LogitBlock {
  size_t first_row = 0;
  size_t rows = 0;
  size_t first_variant = 0;
  size_t variants = 0;
  const float* values = nullptr;
  size_t row_stride = 0;    ///< floats from row to row
  size_t state_stride = 0;  ///< floats from one state of a variant to the next

  /// The outputs of row `first_row + row`.
  std::span<const float> Row(size_t row, size_t state) const {
    return {values + row * row_stride + state * state_stride, variants};
  }
};

/// A row's outputs depend on its inputs alone, to the bit, whatever the other rows and the blocks asked for.
/// Thread-safe after it was made.
class Network {
 public:
  virtual ~Network() = default;

  /// Computes 1 to kMostNetworkRows rows on the calling thread. `inputs` is [rows, latent_size + condition_size], the
  /// condition being a one-hot label or encoded phenotypes. `blocks` has ascending indices of the blocks of variants to
  /// compute; empty = all. `consume` gets the outputs piece by piece, so that memory does not grow with the number of
  /// variants.
  virtual absl::Status Forward(size_t rows, std::span<const float> inputs, std::span<const uint32_t> blocks,
                               absl::FunctionRef<void(const LogitBlock&)> consume) const = 0;
};

}  // namespace genoserve
