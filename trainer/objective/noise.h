// Everything that training draws at random: a function of (seed, attempt, step, call), so that a restored run goes on
// as if it had never stopped.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/philox.h"
#include "trainer/objective/batch_rows.h"

namespace genoserve {

/// A draw of values for some rows of a batch whose place in memory the caller chooses. Copyable; thread-safe.
class RowDraw {
 public:
  using FillValues = void (*)(const PhiloxStream&, uint64_t, std::span<float>);
  RowDraw(const PhiloxStream& stream, const BatchRows& rows, FillValues fill, at::Device device)
      : stream_(stream), rows_(rows), fill_(fill), device_(device) {}

  /// Fills `out` with the values of the `row`-th of the rows, of `width` values each, from `column` on; the rows of a
  /// batch have at most 2^32 values.
  void Fill(int64_t row, int64_t width, int64_t column, std::span<float> out) const {
    fill_(stream_, static_cast<uint64_t>(rows_.rows[static_cast<size_t>(row)] * width + column), out);
  }
  /// The same values as a tensor [rows, width].
  at::Tensor Whole(int64_t width) const;

 private:
  PhiloxStream stream_;
  BatchRows rows_;
  FillValues fill_;
  at::Device device_;
};

/// Random tensors by Philox. Begin each step with StartStep; the calls of a step must come in the same order each time,
/// at most 2^24 of them. A draw for some rows of a batch gives what these rows have in the draw for all of them, at the
/// cost of these rows alone, so that processes that share a batch draw what one would. Not thread-safe.
class TrainingNoise {
 public:
  /// Tensors are made on `device`.
  TrainingNoise(uint64_t seed, at::Device device) : seed_(seed), device_(device) {}

  /// Starts the draws of a step, 0 to 2^40 - 1.
  void StartStep(int64_t step);
  /// From the next StartStep on draws other numbers for each `attempt`, 0 to 255; 0 at first.
  void SetAttempt(int attempt) { attempt_ = attempt; }

  /// Standard normal values.
  at::Tensor Normal(at::IntArrayRef sizes);
  /// Uniform values inside (0, 1), 23 bits each.
  at::Tensor Uniform(at::IntArrayRef sizes);
  /// Standard Gumbel values, -log(-log u).
  at::Tensor Gumbel(at::IntArrayRef sizes);
  /// Standard logistic values, log u - log(1 - u).
  at::Tensor Logistic(at::IntArrayRef sizes);

  /// The same for some rows of a batch, [rows.count(), row_sizes...].
  at::Tensor Normal(const BatchRows& rows, at::IntArrayRef row_sizes);
  at::Tensor Uniform(const BatchRows& rows, at::IntArrayRef row_sizes);
  at::Tensor Gumbel(const BatchRows& rows, at::IntArrayRef row_sizes);
  at::Tensor Logistic(const BatchRows& rows, at::IntArrayRef row_sizes);
  /// The draw that Logistic would make, which the caller makes where it needs the values.
  RowDraw LogisticRows(const BatchRows& rows);

  /// `count` integers, uniform over 0 to `bound` - 1.
  std::vector<int64_t> Integers(size_t count, int64_t bound);
  /// A random order of 0 to `size` - 1.
  std::vector<int64_t> Permutation(size_t size);

 private:
  PhiloxStream NextCall();
  std::vector<uint32_t> Bits(size_t count);

  uint64_t seed_;
  at::Device device_;
  int attempt_ = 0;
  int64_t step_ = 0;
  uint64_t call_ = 0;
};

/// A tensor of integers with these values.
at::Tensor IndexTensor(const std::vector<int64_t>& values, at::Device device);

}  // namespace genoserve
