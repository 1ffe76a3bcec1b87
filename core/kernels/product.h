// Products of tiles with the weights of a layer, on one thread: what serving spends its time on. Each output is one
// chain of additions in the order of the inputs, so that a row's bits depend on that row alone, whatever the number of
// rows and columns and wherever it lies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// A layer's weights and biases in the order in which Multiply reads them. Immutable after it was made, hence
/// thread-safe.
class PackedLayer {
 public:
  /// How weights and inputs are held. Sums are fp32 in both.
  ///
  /// kFp32: one fused multiply-add an input, from the bias on.
  /// kBf16: inputs and weights are rounded to bfloat16, to nearest even, subnormal ones to 0. Of each pair of inputs
  /// the second is added before the first, by a fused multiply-add each: what AVX-512 BF16 does in one instruction, and
  /// others do in fp32. That instruction also takes subnormal sums for 0.
  ///
  /// Both give the same bits on every machine, but for subnormal sums in kBf16.
  enum class Form { kFp32, kBf16 };

  /// Outputs of a panel; Multiply computes whole ones.
  static constexpr size_t kPanel = 32;

  PackedLayer() = default;
  /// `weight` is [outputs, inputs], `bias` [outputs]; outputs are padded with zeros to whole panels.
  PackedLayer(Form form, std::span<const float> weight, std::span<const float> bias, size_t inputs);

  Form form() const { return form_; }
  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }
  size_t panels() const { return (outputs_ + kPanel - 1) / kPanel; }

 private:
  struct alignas(64) CacheLine {
    std::array<uint8_t, 64> bytes;
  };

  friend void Multiply(const PackedLayer& layer, const float* inputs, size_t input_stride, size_t rows,
                       size_t first_panel, size_t panels, float* outputs, size_t output_stride);

  Form form_ = Form::kFp32;
  size_t inputs_ = 0;
  size_t outputs_ = 0;
  std::vector<float> bias_;  // padded
  // [panel][input or pair of inputs][kPanel]: fp32, or two bfloat16, the first input's in the lower half.
  std::vector<CacheLine> weights_;
};

/// outputs[row, j] = bias[j] + sum over i of inputs[row, i] * weight[j, i], for the outputs of `panels` panels from
/// `first_panel` on: output j of the first panel goes to outputs[row * output_stride]. Strides are floats from row to
/// row; output_stride is at least kPanel * panels, and padded outputs are written too. Nothing is allocated after a
/// thread's first calls.
void Multiply(const PackedLayer& layer, const float* inputs, size_t input_stride, size_t rows, size_t first_panel,
              size_t panels, float* outputs, size_t output_stride);

}  // namespace genoserve
