// Tensors of either product type, a stretch of values at a time.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "trainer/objective/layer_kernels.h"

namespace genoserve {

/// Values that loops take at once, so that they stay in the nearest cache from one kernel to the next.
inline constexpr int64_t kStretch = 1024;
using Stretch = std::array<float, static_cast<size_t>(kStretch)>;

/// A dense tensor of kFloat or kBFloat16, [rows, width] or [width], read and written as floats; at most kStretch values
/// at once. Different stretches may be used by different threads.
class RowValues {
 public:
  explicit RowValues(const at::Tensor& dense)
      : values_(dense.data_ptr()), bf16_(dense.scalar_type() == at::kBFloat16), width_(dense.size(-1)) {}

  /// `count` values from `column` of `row` on: where they lie, or a copy in `buffer`, which Write
  /// stores if it was changed.
  float* Read(int64_t row, int64_t column, size_t count, Stretch& buffer) const {
    if (!bf16_) return Floats(row, column);
    FloatsOfBf16(Halves(row, column), count, buffer.data());
    return buffer.data();
  }

  /// Where to put values that Write is then called for.
  float* Place(int64_t row, int64_t column, Stretch& buffer) const {
    return bf16_ ? buffer.data() : Floats(row, column);
  }

  /// Stores `count` values, which lie where Read or Place said.
  void Write(int64_t row, int64_t column, size_t count, const float* values) const {
    if (bf16_) Bf16OfFloats(values, count, Halves(row, column));
  }

 private:
  float* Floats(int64_t row, int64_t column) const { return static_cast<float*>(values_) + row * width_ + column; }
  uint16_t* Halves(int64_t row, int64_t column) const {
    return static_cast<uint16_t*>(values_) + row * width_ + column;
  }

  void* values_;
  bool bf16_;
  int64_t width_;
};

}  // namespace genoserve
