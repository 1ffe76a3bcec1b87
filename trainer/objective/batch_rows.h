// Which rows of a batch a process works on, where several share it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace genoserve {

/// Some of the rows 0 to `total` - 1 of a batch, in any order.
struct BatchRows {
  std::vector<int64_t> rows;
  int64_t total = 0;

  /// All rows in order.
  static BatchRows All(int64_t total);
  /// The part of process `rank` of `size`: consecutive rows, as many for each process or one more.
  static BatchRows Part(int64_t total, int rank, int size);

  int64_t count() const { return static_cast<int64_t>(rows.size()); }
  /// Whether these are all rows in order.
  bool all() const;
  /// These rows of a tensor that has all; the tensor itself where they are all.
  at::Tensor Of(const at::Tensor& whole) const;
};

}  // namespace genoserve
