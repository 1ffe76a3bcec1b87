// Everything that training draws at random: a function of (seed, step, call), so that a restored run goes on as if it
// had never stopped.
#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace genoserve {

/// Random tensors by Philox. Begin each step with StartStep; the calls of a step must come in the same order each time.
/// Not thread-safe.
class TrainingNoise {
 public:
  /// Tensors are made on `device`.
  TrainingNoise(uint64_t seed, at::Device device) : seed_(seed), device_(device) {}

  /// Starts the draws of a step, 0 to 2^40 - 1.
  void StartStep(int64_t step);

  /// Standard normal values.
  at::Tensor Normal(at::IntArrayRef sizes);
  /// Uniform values inside (0, 1), 23 bits each.
  at::Tensor Uniform(at::IntArrayRef sizes);
  /// Standard Gumbel values, -log(-log u).
  at::Tensor Gumbel(at::IntArrayRef sizes);
  /// Standard logistic values, log u - log(1 - u).
  at::Tensor Logistic(at::IntArrayRef sizes);
  /// `count` integers, uniform over 0 to `bound` - 1.
  std::vector<int64_t> Integers(size_t count, int64_t bound);
  /// A random order of 0 to `size` - 1.
  std::vector<int64_t> Permutation(size_t size);

 private:
  uint64_t NextCall() { return (static_cast<uint64_t>(step_) << 8) | (call_++ & 0xFF); }
  std::vector<uint32_t> Bits(size_t count);

  uint64_t seed_;
  at::Device device_;
  int64_t step_ = 0;
  uint64_t call_ = 0;
};

/// A tensor of integers with these values.
at::Tensor IndexTensor(const std::vector<int64_t>& values, at::Device device);

}  // namespace genoserve
