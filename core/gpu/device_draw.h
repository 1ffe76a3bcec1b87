// The noise and the draws of a tile as tensor operations, so that a GPU does them and only packed bytes leave it. The
// numbers are those of core/base/philox.h and the rules those of core/kernels/draw.h; exponentials are the device's
// own, so that a draw may differ from a CPU's where its number lies within a rounding of a limit. No Abseil or protobuf
// here.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/base/philox.h"

namespace genoserve {

/// A run of blocks of four numbers of one purpose: those with indices 4 * first_block and up.
struct NumberRun {
  Purpose purpose = Purpose::kLatent;
  int64_t first_block = 0;
  int64_t blocks = 0;
};

/// Holds constants on one device. Each function launches operations on the calling thread's current stream, moves
/// nothing between host and device, and so may be captured in a CUDA graph. Const methods are thread-safe.
class DeviceDraw {
 public:
  explicit DeviceDraw(at::Device device);

  /// The columns of numbers that Bits makes, int64 [2, blocks of all runs]. Moves them to the device.
  at::Tensor Columns(const std::vector<NumberRun>& runs) const;

  /// Philox 4x32-10 for rows whose seed, sample and haplotype are the first three rows of `keys`, int64 [3 or more,
  /// rows]: int64 [rows, blocks, 4], each 0 to 2^32 - 1. All runs in one go, because each operation is a kernel's
  /// launch.
  at::Tensor Bits(const at::Tensor& keys, const at::Tensor& columns) const;

  /// The standard normal values of numbers, fp32, computed in fp64 by AS 241 as ToNormal of core/base/philox.h does.
  at::Tensor Normal(const at::Tensor& bits) const;

  /// 1 with probability sigmoid(logits), else 0: uint8 [rows, variants] from fp32 and numbers of this shape.
  at::Tensor Alleles(const at::Tensor& logits, const at::Tensor& bits) const;

  /// 1 where tanh(logits) > 0.5, else 0.
  at::Tensor ThresholdAlleles(const at::Tensor& logits) const;

  /// k with probability softmax(logits[:, :, variant])[k]: uint8 [rows, variants] from fp32 [rows, 3, variants] and
  /// numbers [rows, variants].
  at::Tensor Genotypes(const at::Tensor& logits, const at::Tensor& bits) const;

  /// Codes of `width` bits, 1 or 2, as whole bytes, the first in the low bits, unused bits 0: uint8 [rows, bytes].
  at::Tensor Pack(const at::Tensor& codes, int64_t width) const;

 private:
  at::Device device_;
  at::Tensor key_steps_[2];  // [10, 1, 1]: what each round adds to the words of the key
  at::Tensor quantile_;      // fp64 [8, centre or middle, numerator or denominator, 1, 1]: coefficients by power
  at::Tensor places_[2];     // uint8: the factors of the codes of a byte, of 1 and of 2 bits
};

}  // namespace genoserve
